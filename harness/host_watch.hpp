// Watches the machine under a trial: stalls, stolen time, throttling. What it sees is the host's
// doing, not the model's: a probe's own wait for a CPU that is busy with runnable threads is
// subtracted.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

struct HostReport {
  std::int64_t hiccup_max_ns = 0;  ///< longest stall on any watched CPU
  std::int64_t hiccup_all_ns =
      0;                       ///< longest stall that every watched CPU saw within the same 10 ms
  double steal_ticks = 0;      ///< over the watched CPUs
  double steal_percent = 0;    ///< of the watched CPUs' time
  double cpu_seconds = 0;      ///< watched CPUs x elapsed
  double probes_cpu_ns = 0;    ///< what the watch itself used
  double probes_switches = 0;  ///< context switches of the watch itself
  std::uint64_t throttled_periods = 0;  ///< of this process's cgroup, during the watch
};

/// One thread per CPU sleeps 1 ms at a time and notes by how much each sleep was late, less its own
/// run delay from /proc/thread-self/schedstat. Costs about 0.5% of a CPU.
class HostWatch {
 public:
  explicit HostWatch(const CpuSet& cpus);
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  /// Stops the probes. Stalls are those that touch [from, to); steal and throttling count since
  /// construction.
  HostReport end(Time from, Time to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Nanoseconds that a fixed piece of integer work takes on the calling thread's CPU now: the best
/// of three. Drift of this number is drift of the machine.
double probe_speed_ns();

}  // namespace precipice
