// How promptly the scheduler gives a CPU to a thread that has just woken up.
#pragma once

namespace precipice {

/// Since Linux 6.12 a normal thread may name its own time slice (sched_setattr(2)), and one with a
/// short slice is let in sooner when it wakes. For the generator and the backend where they share a
/// CPU: neither may hold up the other for the 3 ms that a default slice lasts. Applies to the
/// calling thread; older kernels ignore it.
void ask_for_short_slices() noexcept;

}  // namespace precipice
