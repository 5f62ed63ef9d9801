// How the kernel schedules this process: policy, priority, niceness, and how it bounds real-time
// threads. All threads of the process inherit it (sched(7)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/host/proc_text.hpp"
#include "harness/json.hpp"

namespace precipice {

struct Scheduling {
  int policy = 0;                                     ///< SCHED_OTHER, SCHED_FIFO, ...
  int priority = 0;                                   ///< of SCHED_FIFO and SCHED_RR, 1 to 99
  int nice = 0;                                       ///< of SCHED_OTHER and SCHED_BATCH, -20 to 19
  std::optional<double> rt_runtime_us, rt_period_us;  ///< sched_rt_runtime_us, sched_rt_period_us

  /// SCHED_FIFO or SCHED_RR.
  bool real_time() const;
  /// How long a CPU that real-time threads want all of is kept from them in each period, ns;
  /// nullopt where the process has none, or the kernel does not bound them or does not show the
  /// bound.
  std::optional<std::int64_t> real_time_pause_ns() const;
  /// "SCHED_FIFO"
  std::string policy_name() const;
};

/// From /proc/self/stat and /proc/sys/kernel; nullopt where the first cannot be read.
std::optional<Scheduling> scheduling_of(const MachineFiles& files);

/// {"policy","priority","nice","rt_runtime_us","rt_period_us"}; what is not shown is null.
Json to_json(const std::optional<Scheduling>& scheduling);

}  // namespace precipice
