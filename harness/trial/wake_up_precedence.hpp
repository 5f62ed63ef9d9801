// How promptly the scheduler gives a CPU to a thread that has just woken up.
#pragma once

#include <cstdint>

namespace precipice {

/// Since Linux 6.12 a normal thread may name its own time slice (sched_setattr(2)), and one with a
/// short slice is let in sooner when it wakes. For the generator and the backend where they share a
/// CPU: neither may hold up the other for the 3 ms that a default slice lasts. Holds for the
/// constructing thread while this lives; threads made meanwhile must not be the model's, because
/// they inherit it. Older kernels ignore it.
class ShortSlices {
 public:
  explicit ShortSlices(bool wanted = true) noexcept;
  ~ShortSlices();
  ShortSlices(const ShortSlices&) = delete;
  ShortSlices& operator=(const ShortSlices&) = delete;

 private:
  /// The first version of the kernel's structure; glibc 2.36 declares none.
  struct Attributes {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns, deadline_ns, period_ns;
  };
  Attributes before_{};
  bool changed_ = false;
};

}  // namespace precipice
