// One preallocated slot a request, written by whoever does each step: no sharing, exact
// percentiles, and every id is seen to end exactly once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "models/request.hpp"

namespace precipice {

enum class End : std::uint8_t {
  open,       ///< not dispatched, or not ended
  completed,  ///< with a digest (checked later)
  failed,     ///< with an error
  shed,       ///< refused, at submit or later
};

/// All times are nanoseconds since the trial's epoch (its first intended arrival is at warm-up
/// start).
struct alignas(64) Slot {
  std::int64_t dispatch_ns = -1;    ///< generator: just before submit
  std::int64_t begin_ns = -1;       ///< executing thread
  std::int64_t completion_ns = -1;  ///< ending thread
  std::uint64_t digest = 0;
  std::int32_t submit_ns = 0;         ///< generator: how long submit took
  std::int32_t error = 0;             ///< errno of a failure, or the Refusal of a shed request
  std::atomic<std::uint8_t> ends{0};  ///< how often it ended: exactly 1 for a conserved request
  End end = End::open;
};

class Slots {
 public:
  /// Allocates and touches `count` slots, so that the trial takes no page faults on them. Throws
  /// Unavailable when there is no memory for them.
  explicit Slots(std::size_t count);
  std::size_t size() const { return count_; }
  Slot& operator[](std::size_t id) { return slots_[id]; }
  const Slot& operator[](std::size_t id) const { return slots_[id]; }

 private:
  std::size_t count_;
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace precipice
