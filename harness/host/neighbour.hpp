// Other processes on the CPUs of a trial: how much they took, and when that is more than the noise
// of the kernel's own book-keeping.
#pragma once

#include <vector>

namespace precipice {

/// The CPUs of one side of a trial (the generator's, or the model's) over one interval.
struct SideTime {
  std::vector<double> busy_ns;  ///< one per CPU, from /proc/stat, without interrupts and ksoftirqd
  double own_ns = 0;            ///< what this process's threads used of them, exact
  double elapsed_ns = 0;        ///< wall time of the interval
  double tick_ns = 10e6;        ///< how far apart the kernel samples, see sample_interval_ns
};

struct OtherProcesses {
  /// By others, over all CPUs of the side; noise can make it negative. NaN where the kernel does
  /// not show what they used: then nothing is exceeded.
  double took_ns = 0;
  double deviation_ns = 0;  ///< standard deviation of took_ns
  double elapsed_ns = 0;    ///< of the interval

  double bound_ns() const;  ///< what is still allowed
  bool exceeded() const { return took_ns > bound_ns(); }
  /// Pools intervals that do not overlap; one of which nothing is known is left out.
  OtherProcesses& operator+=(const OtherProcesses& other);
};

/// Time that a CPU was busy and none of our own threads accounts for belongs to somebody else. That
/// tells a neighbour from the model's own runnable threads, however many they are: a probe's wait
/// for its CPU does not, because it waits for both alike.
///
/// Allowed is a twentieth of one CPU, and four standard deviations of the sampling. The kernel
/// charges a whole tick to whoever runs when it comes, so a CPU that is busy for a share p of n
/// ticks scatters by sqrt(n p (1 - p)) of them; /proc/stat then cuts each of three fields to
/// hundredths of a second. A CPU that is always busy does not scatter at all, so a saturated trial
/// is judged most sharply.
OtherProcesses neighbours(const SideTime& side);

/// The kernel's tick: the resolution of CLOCK_MONOTONIC_COARSE (clock_getres(2)); 1 to 10 ms.
double sample_interval_ns();

}  // namespace precipice
