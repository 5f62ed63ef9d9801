// The virtual clock of a simulation: time passes only from one event to the next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/policies/timeline.hpp"

namespace precipice {

/// Starts at 0. Events of one moment happen in the order in which they were set. For one thread.
class VirtualTimeline final : public Timeline {
 public:
  Time now() const noexcept override { return Time(Nanos(rounded(now_ns_))); }
  /// Unrounded.
  double now_ns() const noexcept { return now_ns_; }

  bool at(Time when, const Timer& timer) noexcept override {
    schedule(static_cast<double>(when.time_since_epoch().count()), timer);
    return true;
  }
  /// A time that has passed is taken as now.
  void schedule(double at_ns, const Timer& timer) {
    events_.push_back({std::max(at_ns, now_ns_), order_++, timer});
    std::push_heap(events_.begin(), events_.end(), std::greater<>());
  }
  void drop(const void* context) noexcept override {
    std::erase_if(events_, [&](const Event& event) { return event.timer.context == context; });
    std::make_heap(events_.begin(), events_.end(), std::greater<>());
  }
  bool wait_until(Time deadline, const std::function<bool()>& done) override {
    while (!done()) {
      if (events_.empty() || Time(Nanos(rounded(events_.front().at_ns))) > deadline) return false;
      step();
    }
    return true;
  }

  /// The next event happens. False when there is none.
  bool step() {
    if (events_.empty()) return false;
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    const Event event = events_.back();
    events_.pop_back();
    now_ns_ = event.at_ns;
    event.timer.due(event.timer.context, event.timer.argument);
    return true;
  }

  /// To whole nanoseconds; times are not negative.
  static std::int64_t rounded(double ns) { return static_cast<std::int64_t>(ns + 0.5); }

 private:
  struct Event {
    double at_ns = 0;
    std::uint64_t order = 0;
    Timer timer;
    bool operator>(const Event& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : order > other.order;
    }
  };

  double now_ns_ = 0;
  std::uint64_t order_ = 0;
  std::vector<Event> events_;
};

}  // namespace precipice
