// Which of the kernel's limits stands between this process and one more thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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

/// Where the limits are read, and for whom.
struct ThreadLimitSources {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
  std::uint64_t user = 0;
  /// The soft RLIMIT_NPROC; none when it is unlimited or this process may pass it.
  std::optional<std::uint64_t> most_processes{};

  /// This machine's, for this process.
  static ThreadLimitSources here();
};

/// Those that could be read and that apply to this user; what cannot be read or understood is left
/// out. Takes milliseconds: for set-up and for the first refusal, never per request. Throws
/// std::bad_alloc.
std::vector<ThreadLimit> thread_limits(
    const ThreadLimitSources& sources = ThreadLimitSources::here());

/// The one that is used up most, if it is used to at least 90% (the figures move while they are
/// read); otherwise a limit named `unknown`, with used and limit 0: most likely memory.
ThreadLimit limit_that_was_hit(const ThreadLimitSources& sources = ThreadLimitSources::here());

/// How many threads may be created before vm.max_map_count is in the way (two maps each: stack and
/// guard), less a reserve for the allocator: a process whose malloc finds no map cannot even report
/// it.
std::uint64_t threads_that_maps_allow(
    const ThreadLimitSources& sources = ThreadLimitSources::here());

}  // namespace precipice
