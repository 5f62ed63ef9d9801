// One preallocated slot a request, written by whoever does each step: no sharing, exact
// percentiles, and every id is seen to end exactly once. What the generator writes and what the
// executing threads write lie in different arrays, so that neither waits for the other's cache
// lines.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "models/request.hpp"

namespace precipice {

enum class End : std::uint8_t {
  open,       ///< not dispatched, or not ended
  completed,  ///< with a digest (checked later)
  failed,     ///< with an error
  shed,       ///< refused, at submit or later
};

/// Generator's side. All times are nanoseconds since the trial's epoch, the start of its warm-up.
struct Sent {
  std::int64_t dispatch_ns = -1;  ///< just before submit; -1: never dispatched
  std::int32_t submit_ns = 0;     ///< how long submit took, at most 2.1 s
  bool shed = false;              ///< refused at submit; the reason is in the slot
};

/// Model's side.
struct Slot {
  std::int64_t begin_ns = -1;
  std::int64_t completion_ns = -1;
  std::uint64_t digest = 0;
  std::int32_t error = 0;             ///< errno of a failure, or the Refusal of a shed request
  std::atomic<std::uint8_t> ends{0};  ///< how often it ended: exactly 1 for a conserved request
  End end = End::open;
};
static_assert(sizeof(Slot) == 32);

class Slots {
 public:
  /// Allocates and touches `count` slots, so that the trial takes no page faults on them. Throws
  /// Unavailable when there is no memory for them.
  explicit Slots(std::size_t count);

  std::size_t size() const { return count_; }
  Slot& operator[](std::size_t id) { return slots_[id]; }
  const Slot& operator[](std::size_t id) const { return slots_[id]; }
  Sent& sent(std::size_t id) { return sent_[id]; }
  const Sent& sent(std::size_t id) const { return sent_[id]; }

  /// Records the end of request `id`; the first end wins, further ones are only counted.
  void complete(std::size_t id, std::int64_t at_ns, const Outcome& outcome) noexcept {
    Slot& slot = slots_[id];
    if (ended_before(slot)) return;
    slot.completion_ns = at_ns;
    slot.digest = outcome.digest;
    slot.error = outcome.error;
    slot.end = outcome.succeeded() ? End::completed : End::failed;
  }
  void refuse(std::size_t id, std::int64_t at_ns, Refusal why) noexcept {
    Slot& slot = slots_[id];
    if (ended_before(slot)) return;
    slot.completion_ns = at_ns;
    slot.error = static_cast<std::int32_t>(why);
    slot.end = End::shed;
  }

 private:
  /// A load and a store, because a locked addition would cost more than the rest of the recording.
  /// Two ends within the same nanoseconds on two threads could so pass for one; the in-flight
  /// integral, which both leave, does not come back to zero then.
  static bool ended_before(Slot& slot) noexcept {
    const std::uint8_t before = slot.ends.load(std::memory_order_relaxed);
    slot.ends.store(before < 255 ? before + 1 : before, std::memory_order_relaxed);
    return before != 0;
  }

  std::size_t count_;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Sent[]> sent_;
};

}  // namespace precipice
