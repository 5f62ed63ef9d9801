// Which of the kernel's limits stands between this process and one more thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace precipice {

/// One limit as it is now, in its own unit: threads, memory maps, or bytes of address space.
struct ThreadLimit {
  /// rlimit_nproc, pids_cgroup, pid_max, threads_max, max_map_count, rlimit_as
  std::string name;
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  std::string cure;  ///< how to raise it
  /// With no more room than this it stands in the way of a thread: what one takes, and what the
  /// count moves while it is read.
  std::uint64_t margin = 1;
};

/// Where the limits are read, and for whom.
struct ThreadLimitSources {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
  std::uint64_t user = 0;
  /// The soft RLIMIT_NPROC; none when it is unlimited or this process may pass it.
  std::optional<std::uint64_t> most_processes{};
  /// The soft RLIMIT_AS, bytes; none when it is unlimited.
  std::optional<std::uint64_t> address_space{};
  /// The stack that a thread is given when nothing else is asked for, bytes.
  std::uint64_t stack_bytes = 8 << 20;

  /// This machine's, for this process.
  static ThreadLimitSources here();
};

/// Those that could be read and that apply to this user; what cannot be read or understood is left
/// out. Takes milliseconds: for set-up and for the first refusal, never per request. Throws
/// std::bad_alloc.
std::vector<ThreadLimit> thread_limits(
    const ThreadLimitSources& sources = ThreadLimitSources::here());

/// Whether RLIMIT_NPROC holds a process back whose /proc/self/status and /proc/self/uid_map these
/// are: the kernel lets the machine's own superuser pass it, and whoever has CAP_SYS_RESOURCE or
/// CAP_SYS_ADMIN there; the root of a user namespace is neither.
bool bound_by_process_limit(const std::string& status, const std::string& uid_map);

/// The one that has no room for another thread; of several the one used up most. Otherwise
/// rlimit_nproc where there is one, because a user's threads in other containers count against it
/// unseen, or else a limit named `memory`, with used and limit 0. To be asked while the threads
/// that were made are still there.
ThreadLimit limit_that_was_hit(const ThreadLimitSources& sources = ThreadLimitSources::here());

/// How many threads may be created before vm.max_map_count is in the way (two maps each: stack and
/// guard), less a reserve for the allocator: a process whose malloc finds no map cannot even report
/// it.
std::uint64_t threads_that_maps_allow(
    const ThreadLimitSources& sources = ThreadLimitSources::here());

}  // namespace precipice
