// How promptly the scheduler gives a shared CPU to a thread that has just woken up.
#pragma once

#include <cstdint>

namespace precipice {

/// For the generator and the backend where they share a CPU: the other thread there may not make an
/// arrival late by the 3 ms that a default time slice lasts. Holds for the constructing thread
/// while this lives; threads that it makes meanwhile start with the default policy and slice.
class WakeUpPrecedence {
 public:
  enum class Kind {
    none,
    /// A time slice of 0.1 ms: since Linux 6.12 (sched_setattr(2)) a normal thread with a short
    /// slice is let in sooner, as long as it has not used more than its fair share. Older kernels
    /// ignore it.
    short_slice,
    /// SCHED_FIFO, the lowest priority, before all normal threads; a short slice where the process
    /// may not have it. For a thread that sleeps between arrivals and never spins for what a
    /// normal thread of its CPU holds.
    real_time,
  };
  explicit WakeUpPrecedence(Kind kind) noexcept;
  ~WakeUpPrecedence();
  WakeUpPrecedence(const WakeUpPrecedence&) = delete;
  WakeUpPrecedence& operator=(const WakeUpPrecedence&) = delete;

 private:
  /// The first version of the kernel's structure; glibc 2.36 declares none.
  struct Attributes {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns, deadline_ns, period_ns;
  };
  static bool set(Attributes wanted) noexcept;

  Attributes before_{};
  bool changed_ = false;
};

}  // namespace precipice
