// What /proc says of CPU time: per CPU since boot, and of single threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "models/cpu_set.hpp"

namespace precipice {

/// Of one CPU since boot, in ticks of 1 / sysconf(_SC_CLK_TCK) s. The kernel accounts them by
/// sampling, see neighbour.hpp.
struct CpuTicks {
  double busy = 0;   ///< user + nice + system; interrupts are not in it
  double steal = 0;  ///< wanted by this machine and given to another by the hypervisor
  double all = 0;    ///< of every kind, idle included: stands still where nothing is accounted
};

/// The lines `cpuN` of /proc/stat (proc(5)), by CPU. Lines that it does not understand are left
/// out.
std::map<int, CpuTicks> parse_proc_stat(std::string_view text);
/// Of this machine now, for the CPUs of the set; those that the kernel does not show are left out.
std::map<int, CpuTicks> read_proc_stat(const CpuSet& cpus);

/// The first two fields of a thread's schedstat
/// (Documentation/scheduler/sched-stats.rst of the kernel), ns.
struct SchedStat {
  std::int64_t ran_ns = 0;     ///< on a CPU
  std::int64_t waited_ns = 0;  ///< runnable, and another had the CPU
};
std::optional<SchedStat> parse_schedstat(std::string_view text);

/// CPU time of the kernel's ksoftirqd threads of these CPUs, by CPU, ns. They work for whoever
/// sends or receives, so they are nobody's neighbour. Empty where they cannot be seen, as in a
/// container.
std::map<int, double> softirq_thread_ns(const CpuSet& cpus);

}  // namespace precipice
