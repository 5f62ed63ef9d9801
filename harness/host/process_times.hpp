// Which processes use the CPUs, by name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/cpu_set.hpp"

namespace precipice {

/// One process as /proc/PID/stat shows it (proc(5)).
struct ProcessTime {
  int pid = 0;
  std::string name;           ///< of its file, at most 15 bytes, chosen by whoever runs it
  double cpu_ticks = 0;       ///< user and system time of all its threads
  std::uint64_t started = 0;  ///< ticks after boot: tells a pid that was given again
  int cpu = -1;               ///< where its first thread ran last
  bool running = false;       ///< that thread, now
  int threads = 1;
};

std::optional<ProcessTime> parse_process_stat(std::string_view text);
/// Every process that `proc` shows, by pid. A container shows its own only.
std::map<int, ProcessTime> read_processes(const std::string& proc = "/proc");

struct ProcessUse {
  int pid = 0;
  std::string name;
  double share = 0;  ///< of one CPU
};

/// Who used a share of at least `least` of a CPU between two readings, the largest first, without
/// `own`. A process of several threads is left out where none of those that run, or that ran last,
/// is on one of `cpus`.
std::vector<ProcessUse> processes_between(const std::map<int, ProcessTime>& before,
                                          const std::map<int, ProcessTime>& after, double elapsed_s,
                                          double ticks_per_s, const CpuSet& cpus, int own,
                                          double least = 0.01, const std::string& proc = "/proc");

}  // namespace precipice
