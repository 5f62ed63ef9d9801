#include "models/memory_limits.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>

#include "models/cgroup_path.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

std::string mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

/// `Name: 123 kB` or `name 123` lines, as numbers in the file's own unit.
std::map<std::string, std::uint64_t> figures(const fs::path& file) {
  std::map<std::string, std::uint64_t> found;
  std::ifstream in(file);
  for (std::string key; in >> key;) {
    if (key.ends_with(':')) key.pop_back();
    std::uint64_t value = 0;
    if (in >> value) found.emplace(key, value);
    in.clear();
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return found;
}

std::optional<std::uint64_t> figure(const std::map<std::string, std::uint64_t>& of,
                                    const char* name) {
  const auto found = of.find(name);
  return found == of.end() ? std::nullopt : std::optional(found->second);
}

void add_groups(const MemoryLimitSources& sources, std::vector<MemoryLimit>& limits) {
  // Version 1 writes "no limit" as the highest number of whole pages.
  constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;
  for (const fs::path& directory : cgroup_directories(sources.proc, sources.cgroup, "memory")) {
    for (const auto& [most, now] : {std::pair("memory.max", "memory.current"),
                                    std::pair("memory.limit_in_bytes", "memory.usage_in_bytes")}) {
      const auto limit = read_limit(directory / most);
      const auto used = read_limit(directory / now);
      if (!limit || !used || *limit >= kUnlimited) continue;
      const auto stat = figures(directory / "memory.stat");
      auto reclaimable = figure(stat, "total_inactive_file");
      if (!reclaimable) reclaimable = figure(stat, "inactive_file");
      limits.push_back({"memory_cgroup", *used - std::min(*used, reclaimable.value_or(0)), *limit,
                        fmt::format("the cgroup limits memory to {}", mebibytes(*limit)),
                        fmt::format("raise {} (docker: --memory, systemd: MemoryMax)",
                                    (directory / most).string())});
    }
  }
}

}  // namespace

MemoryLimitSources MemoryLimitSources::here() {
  const auto soft = [](decltype(RLIMIT_AS) which) -> std::optional<std::uint64_t> {
    rlimit limit{};
    if (getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
    return limit.rlim_cur;
  };
  MemoryLimitSources sources;
  sources.address_space = soft(RLIMIT_AS);
  sources.data = soft(RLIMIT_DATA);
  return sources;
}

std::vector<MemoryLimit> memory_limits(const MemoryLimitSources& sources) {
  std::vector<MemoryLimit> limits;
  const auto machine = figures(sources.proc / "meminfo");
  const auto total = figure(machine, "MemTotal"), available = figure(machine, "MemAvailable");
  if (total && available) {
    limits.push_back({"memory", (*total - std::min(*total, *available)) << 10, *total << 10,
                      fmt::format("this machine has {} of memory", mebibytes(*total << 10)),
                      "free some"});
  }
  add_groups(sources, limits);
  const auto own = figures(sources.proc / "self/status");
  if (const auto used = figure(own, "VmSize"); used && sources.address_space) {
    limits.push_back(
        {"rlimit_as", *used << 10, *sources.address_space,
         fmt::format("the address space is limited to {}", mebibytes(*sources.address_space)),
         "raise it with ulimit -v"});
  }
  if (const auto used = figure(own, "VmData"); used && sources.data) {
    limits.push_back({"rlimit_data", *used << 10, *sources.data,
                      fmt::format("the data segment is limited to {}", mebibytes(*sources.data)),
                      "raise it with ulimit -d"});
  }
  const auto committed = figure(machine, "Committed_AS"), most = figure(machine, "CommitLimit");
  if (committed && most && read_limit(sources.proc / "sys/vm/overcommit_memory") == 2U) {
    limits.push_back(
        {"overcommit", *committed << 10, *most << 10,
         fmt::format("no more than {} may be promised to processes", mebibytes(*most << 10)),
         "raise it with sysctl vm.overcommit_ratio"});
  }
  std::sort(limits.begin(), limits.end(),
            [](const MemoryLimit& a, const MemoryLimit& b) { return a.room() < b.room(); });
  return limits;
}

std::optional<int> bound_malloc_arenas(std::optional<std::uint64_t> address_space) {
  if (!address_space) return std::nullopt;
  constexpr std::uint64_t kReservedByArena = 64ULL << 20;  // HEAP_MAX_SIZE of glibc with 64 bits
  const std::uint64_t most = std::max<std::uint64_t>(1, *address_space / 4 / kReservedByArena);
  // malloc's own bound, which must not be raised.
  const std::uint64_t own = 8ULL * static_cast<std::uint64_t>(std::max(1, get_nprocs()));
  if (most >= own) return std::nullopt;
  mallopt(M_ARENA_MAX, static_cast<int>(most));
  return static_cast<int>(most);
}

std::string memory_that_ran_out(const MemoryLimitSources& sources) noexcept {
  try {
    const std::vector<MemoryLimit> limits = memory_limits(sources);
    if (limits.empty()) return "no memory";
    const MemoryLimit& least = limits.front();
    return fmt::format("{}, {} of them used ({})", least.text, mebibytes(least.used), least.cure);
  } catch (...) {
    return "no memory";  // short enough to need none
  }
}

}  // namespace precipice
