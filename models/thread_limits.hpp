// Which of the kernel's limits stands between this process and one more thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace precipice {

/// One limit as it is now. `used` is in the limit's own unit: threads, or memory maps.
struct ThreadLimit {
  std::string name;  ///< rlimit_nproc, pids_cgroup, pid_max, threads_max, max_map_count
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  std::string cure;  ///< how to raise it
};

/// Those that could be read and that apply to this user. Takes milliseconds: for set-up and for the
/// first refusal, never per request.
std::vector<ThreadLimit> thread_limits();

/// The one that is used up most, if it is used to at least 90% (the figures move while they are
/// read); otherwise a limit named `unknown`, with used and limit 0: most likely memory.
ThreadLimit limit_that_was_hit();

/// How many threads may be created before vm.max_map_count is in the way (two maps each: stack and
/// guard), less a reserve for the allocator: a process whose malloc finds no map cannot even report
/// it.
std::uint64_t threads_that_maps_allow();

}  // namespace precipice
