// Queues in virtual time, request by request: what the oracle's simulation and the twins of real
// trials are made of. Times are in any one unit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
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

/// An arrival takes a server at once: a free one, or the one that has gone on longest with one
/// request, which goes behind those that were interrupted before. The first of these goes on when a
/// server has ended a request and none waits to be begun.
class Preemption {
 public:
  /// At most `most` requests are begun and not ended; the others wait, first come, first served.
  Preemption(std::size_t servers, std::size_t most)
      : servers_(servers), most_(std::max(most, servers)) {}

  void arrive(double at, std::size_t id, double service) {
    if (begun_ == most_) {
      unbegun_.push_back({id, service});
      return;
    }
    ++begun_;
    if (Server* const free = find_free()) {
      free->begin(at, {id, service});
      return;
    }
    Server& longest =
        *std::min_element(servers_.begin(), servers_.end(),
                          [](const Server& a, const Server& b) { return a.since < b.since; });
    longest.work.left -= at - longest.since;
    interrupted_.push_back(longest.work);
    longest.begin(at, {id, service});
  }
  double next_end() const {
    return std::min_element(servers_.begin(), servers_.end(), ends_sooner)->end();
  }
  /// Ends the next at `at`, its next_end(). Which it was.
  std::size_t end(double at) {
    Server& server = *std::min_element(servers_.begin(), servers_.end(), ends_sooner);
    const std::size_t id = server.work.id;
    --begun_;
    if (!unbegun_.empty()) {
      server.begin(at, unbegun_.front());
      unbegun_.pop_front();
      ++begun_;
    } else if (!interrupted_.empty()) {
      server.begin(at, interrupted_.front());
      interrupted_.pop_front();
    } else {
      server.busy = false;
    }
    return id;
  }
  std::size_t size() const { return begun_ + unbegun_.size(); }

 private:
  struct Work {
    std::size_t id = 0;
    double left = 0;
  };
  struct Server {
    bool busy = false;
    double since = 0;
    Work work;

    double end() const {
      return busy ? since + work.left : std::numeric_limits<double>::infinity();
    }
    void begin(double at, const Work& on) {
      busy = true;
      since = at;
      work = on;
    }
  };

  Server* find_free() {
    const auto found = std::find_if(servers_.begin(), servers_.end(),
                                    [](const Server& server) { return !server.busy; });
    return found == servers_.end() ? nullptr : &*found;
  }
  static bool ends_sooner(const Server& a, const Server& b) { return a.end() < b.end(); }

  std::vector<Server> servers_;
  std::size_t most_, begun_ = 0;
  std::deque<Work> interrupted_, unbegun_;
};

}  // namespace precipice
