// How much memory this process may still take, and what bounds it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace precipice {

/// One limit as it is now, in bytes.
struct MemoryLimit {
  /// memory, memory_cgroup, rlimit_as, rlimit_data, overcommit
  std::string name;
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  std::string text;  ///< what it is, as in "the cgroup limits memory to 300 MiB"
  std::string cure;  ///< how to raise it
  /// A limit may have been lowered below what is used.
  std::uint64_t room() const { return used < limit ? limit - used : 0; }
};

/// Where the limits are read.
struct MemoryLimitSources {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
  /// Soft limits, bytes; none when unlimited.
  std::optional<std::uint64_t> address_space{};
  std::optional<std::uint64_t> data{};

  /// This machine's, for this process.
  static MemoryLimitSources here();
};

/// Those that could be read, the least room first. Of a control group counts what the kernel could
/// not take back: file pages that are not in use are no loss. Takes a millisecond: for set-up,
/// never per request. Throws std::bad_alloc.
std::vector<MemoryLimit> memory_limits(
    const MemoryLimitSources& sources = MemoryLimitSources::here());

/// malloc reserves address space for every arena, 64 MiB each and up to eight arenas a CPU, whether
/// it is used or not. Where `address_space` is a limit, arenas get a quarter of it at most; where
/// it is none, nothing changes. For the start of a program, before other threads allocate. Returns
/// the most arenas that there may be now; nullopt: as malloc pleases.
std::optional<int> bound_malloc_arenas(
    std::optional<std::uint64_t> address_space = MemoryLimitSources::here().address_space);

/// After an allocation has failed: the sentence that says which limit was most likely in its way
/// and how to raise it, as in "the address space is limited to 390 MiB, 388 MiB of them used
/// (raise it with ulimit -v)". Never throws; "no memory" when there is none to find out.
std::string memory_that_ran_out(
    const MemoryLimitSources& sources = MemoryLimitSources::here()) noexcept;

}  // namespace precipice
