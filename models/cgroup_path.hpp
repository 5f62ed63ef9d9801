// Where the control groups of this process keep their files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace precipice {

/// Directories in which a file of `controller` (memory, pids) may lie for this process: of its own
/// group and of every ancestor, version 1 and 2, those of one hierarchy nearest first. Inside a
/// container the path may be the host's: then only the root of the mount is there. `proc` and
/// `mount` are /proc and /sys/fs/cgroup, or a test's sample of them.
std::vector<std::filesystem::path> cgroup_directories(const std::filesystem::path& proc,
                                                      const std::filesystem::path& mount,
                                                      std::string_view controller);

/// The number in `file`; nothing where there is no such file, or it holds "max", which is no limit.
std::optional<std::uint64_t> read_limit(const std::filesystem::path& file);

}  // namespace precipice
