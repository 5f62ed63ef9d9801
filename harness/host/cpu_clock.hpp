// CPU time of a thread or of the process.
#pragma once

#include <ctime>

namespace precipice {

/// Nanoseconds of a CPU clock: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID or that of
/// pthread_getcpuclockid(); 0 when its thread has ended.
inline double cpu_clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace precipice
