// How often the kernel has stopped this process's cgroup because its CPU quota was spent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace precipice {

/// `nr_throttled` of a cpu.stat, version 1 or 2 of the interface alike; 0 where it is not there
/// (a cgroup without a quota has none).
std::uint64_t throttled_periods_in(std::string_view cpu_stat);

/// Where the cpu.stat of a process's cgroup and of every cgroup above it may be, from the text of
/// /proc/PID/cgroup (cgroups(7)). Each inner list names one file by all the paths that it may have,
/// likeliest first. A quota anywhere above stops the process as well; in a container the upper ones
/// are often not visible.
std::vector<std::vector<std::string>> cpu_stat_paths(std::string_view proc_cgroup);

/// Sum over this process's cgroup and those above it that are visible; nullopt where no cpu.stat of
/// them can be read.
std::optional<std::uint64_t> read_throttled_periods();

}  // namespace precipice
