// Queues in virtual time, request by request: what the oracle's simulation and the twins of real
// trials are made of. Times are in any one unit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace precipice {

/// Work times: the servers' own clock, which a stall stops.
struct Served {
  double begin = 0, end = 0;
};

/// One queue before c servers (Kiefer and Wolfowitz's recursion; Lindley's for c = 1), or a queue
/// before each of them. Arrivals come in order of time.
class Queues {
 public:
  using Soonest = std::priority_queue<double, std::vector<double>, std::greater<>>;

  /// `split`: a queue before each server. `capacity`: in the system; 0: unlimited.
  Queues(std::size_t servers, bool split, std::uint64_t capacity)
      : split_(split), capacity_(capacity), free_(servers, 0.0) {}

  /// nullopt: no room.
  std::optional<Served> arrive(double at, double service, unsigned server = 0) {
    if (capacity_ > 0) {
      while (!inside_.empty() && inside_.top() <= at) inside_.pop();
      if (inside_.size() >= capacity_) return std::nullopt;
    }
    Served served;
    double& free = split_ ? free_[server] : free_.front();
    served.begin = std::max(at, free);
    served.end = served.begin + service;
    free = served.end;
    if (!split_) sink();
    if (capacity_ > 0) inside_.push(served.end);
    return served;
  }

 private:
  /// Restores the heap (soonest free first) after its front was replaced by something later.
  void sink() {
    const std::size_t n = free_.size();
    const double value = free_.front();
    std::size_t at = 0;
    for (std::size_t child = 1; child < n; child = 2 * at + 1) {
      if (child + 1 < n && free_[child + 1] < free_[child]) ++child;
      if (free_[child] >= value) break;
      free_[at] = free_[child];
      at = child;
    }
    free_[at] = value;
  }

  bool split_;
  std::uint64_t capacity_;
  std::vector<double> free_;
  Soonest inside_;
};

/// n requests share c servers equally, none getting more than one. Every request present attains
/// the same service per time, so they end in the order of (service attained at arrival + service).
class Sharing {
 public:
  explicit Sharing(unsigned servers) : servers_(servers) {}

  void arrive(double at, std::size_t id, double service) {
    advance(at);
    present_.push({attained_ + service, id});
  }
  double next_end() const {
    if (present_.empty()) return std::numeric_limits<double>::infinity();
    return now_ + std::max(0.0, present_.top().first - attained_) / speed();
  }
  std::size_t end(double at) {
    const std::size_t id = present_.top().second;
    const double target = present_.top().first;
    advance(at);
    attained_ = target;
    present_.pop();
    if (present_.empty()) attained_ = 0;
    return id;
  }
  std::size_t size() const { return present_.size(); }

 private:
  double speed() const {
    return std::min(1.0, static_cast<double>(servers_) / static_cast<double>(present_.size()));
  }
  void advance(double at) {
    if (!present_.empty()) attained_ += (at - now_) * speed();
    now_ = at;
  }

  using Entry = std::pair<double, std::size_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> present_;
  double servers_;
  double attained_ = 0, now_ = 0;
};

}  // namespace precipice
