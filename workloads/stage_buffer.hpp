// Where requests gather before a stage of a pipeline, as an arithmetic of times: no timer of its
// own, each request sleeps until the buffer passes it on.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "models/request.hpp"

namespace precipice {

/// Thread-safe.
class StageBuffer {
 public:
  enum class Kind : std::uint8_t {
    linger,  ///< a flush timer: the first request to come starts it, and when `period` is over all
             ///< that have come pass
    tick,    ///< all that have come pass whenever time (since the clock's epoch) is `phase` plus a
             ///< multiple of `period`
  };

  /// `period` above 0; `phase`, of a tick only, from 0 and below period.
  StageBuffer(Kind kind, Nanos period, Nanos phase = Nanos(0)) noexcept
      : kind_(kind), period_ns_(period.count()), phase_ns_(phase.count()) {}

  /// When a request passes that comes at `arrival`, a time from the clock's epoch on; never before.
  Time departure(Time arrival) noexcept {
    const std::int64_t at = arrival.time_since_epoch().count();
    const std::int64_t passed = kind_ == Kind::tick ? next_tick(at) : flush(at);
    return Time(Nanos(passed));
  }

 private:
  std::int64_t next_tick(std::int64_t at) const noexcept {
    const std::int64_t since = (at - phase_ns_ + period_ns_) % period_ns_;
    return since == 0 ? at : at + period_ns_ - since;
  }

  std::int64_t flush(std::int64_t at) noexcept {
    std::int64_t due = due_ns_.load(std::memory_order_relaxed);
    while (due < at) {  // the timer has fired, and what it passed on is no longer here
      const std::int64_t next = at + period_ns_;
      if (due_ns_.compare_exchange_weak(due, next, std::memory_order_relaxed)) return next;
    }
    return due;
  }

  const Kind kind_;
  const std::int64_t period_ns_;
  const std::int64_t phase_ns_;
  std::atomic<std::int64_t> due_ns_{std::numeric_limits<std::int64_t>::min()};
};

/// The phase of the ticks of stage `i` of `count` in a row, from 0 and below `period`. The steps
/// from stage to stage take the midpoints of equal slices of a period, so that all waits for a tick
/// together miss their mean, half a period a stage, by half a period at most.
inline Nanos tick_phase(std::int64_t i, std::int64_t count, Nanos period) noexcept {
  Nanos phase{0};
  for (std::int64_t k = 1; k <= i; ++k)
    phase = (phase + (2 * k - 1) * period / (2 * (count - 1))) % period;
  return phase;
}

}  // namespace precipice
