#include "models/thread_limits.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>

#include "models/cgroup_path.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kReservedMaps = 2048;

std::uint64_t count_maps(const fs::path& proc) {
  std::ifstream in(proc / "self/maps");
  return static_cast<std::uint64_t>(
      std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n'));
}

/// All threads of this PID namespace: the second figure of "runnable/total" in /proc/loadavg.
std::optional<std::uint64_t> count_all_threads(const fs::path& proc) {
  std::ifstream in(proc / "loadavg");
  std::string word;
  for (int i = 0; i < 4; ++i) in >> word;
  const std::size_t slash = word.find('/');
  if (!in || slash == std::string::npos) return std::nullopt;
  std::uint64_t total = 0;
  const char* const end = word.data() + word.size();
  if (std::from_chars(word.data() + slash + 1, end, total).ptr != end) return std::nullopt;
  return total;
}

std::uint64_t count_threads_of_user(const fs::path& proc, std::uint64_t user) {
  std::uint64_t total = 0;
  std::error_code error;
  // Processes come and go meanwhile; a directory that cannot be read further ends the count.
  for (fs::directory_iterator each(proc, error); !error && each != fs::directory_iterator();
       each.increment(error)) {
    const std::string name = each->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream in(each->path() / "status");
    bool mine = false;
    for (std::string key; in >> key;) {
      std::uint64_t value = 0;
      if (key == "Uid:" && in >> value) mine = value == user;
      if (key == "Threads:" && in >> value && mine) total += value;
      in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
  }
  return total;
}

/// How many more fit. A limit may have been lowered below what is there.
std::uint64_t room(std::uint64_t used, std::uint64_t limit) {
  return used < limit ? limit - used : 0;
}

/// A tenth: processes come and go while they are counted, and the kernel keeps some for itself.
std::uint64_t tenth(std::uint64_t limit) { return std::max<std::uint64_t>(1, limit / 10); }

/// The tightest pids.max between this process's cgroup and the root, version 1 or 2.
std::optional<ThreadLimit> pids_cgroup(const ThreadLimitSources& sources) {
  std::optional<ThreadLimit> tightest;
  for (const fs::path& directory : cgroup_directories(sources.proc, sources.cgroup, "pids")) {
    const auto limit = read_limit(directory / "pids.max");
    const auto used = read_limit(directory / "pids.current");
    if (limit && used &&
        (!tightest || room(*used, *limit) < room(tightest->used, tightest->limit))) {
      tightest = ThreadLimit{"pids_cgroup", *used, *limit,
                             "raise " + (directory / "pids.max").string() +
                                 " (docker: --pids-limit, systemd: TasksMax)",
                             tenth(*limit)};
    }
  }
  return tightest;
}

/// The number behind `key` on a line of its own, in the base in which it is written.
std::optional<std::uint64_t> field(const std::string& text, const std::string& key, int base) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t digits = line.find_first_not_of(" \t", key.size());
    if (digits == std::string::npos) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(line.data() + digits, line.data() + line.size(), value, base);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

bool bound_by_process_limit(const std::string& status, const std::string& uid_map) {
  constexpr std::uint64_t kSysAdmin = std::uint64_t{1} << 21, kSysResource = std::uint64_t{1} << 24;
  std::istringstream in(uid_map);
  std::uint64_t inside = 0, outside = 0;
  const bool mapped_elsewhere = in >> inside >> outside && inside != outside;
  const bool superuser = field(status, "Uid:", 10) == 0U;
  const bool capable = (field(status, "CapEff:", 16).value_or(0) & (kSysAdmin | kSysResource)) != 0;
  return mapped_elsewhere || !(superuser || capable);
}

ThreadLimitSources ThreadLimitSources::here() {
  ThreadLimitSources sources;
  sources.user = getuid();
  rlimit limit{};
  if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      bound_by_process_limit(text_of("/proc/self/status"), text_of("/proc/self/uid_map"))) {
    sources.most_processes = limit.rlim_cur;
  }
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    sources.address_space = limit.rlim_cur;
  }
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) == 0) {
    std::size_t bytes = 0;
    if (pthread_attr_getstacksize(&attributes, &bytes) == 0) sources.stack_bytes = bytes;
    pthread_attr_destroy(&attributes);
  }
  return sources;
}

std::vector<ThreadLimit> thread_limits(const ThreadLimitSources& sources) {
  std::vector<ThreadLimit> limits;
  if (const auto most = sources.most_processes) {
    limits.push_back({"rlimit_nproc", count_threads_of_user(sources.proc, sources.user), *most,
                      "raise it with ulimit -u", tenth(*most)});
  }
  if (auto cgroup = pids_cgroup(sources)) limits.push_back(*cgroup);
  const fs::path kernel = sources.proc / "sys/kernel";
  if (const auto used = count_all_threads(sources.proc)) {
    if (const auto limit = read_limit(kernel / "pid_max")) {
      limits.push_back(
          {"pid_max", *used, *limit, "raise it with sysctl kernel.pid_max", tenth(*limit)});
    }
    if (const auto limit = read_limit(kernel / "threads-max")) {
      limits.push_back(
          {"threads_max", *used, *limit, "raise it with sysctl kernel.threads-max", tenth(*limit)});
    }
  }
  if (const auto limit = read_limit(sources.proc / "sys/vm/max_map_count")) {
    limits.push_back({"max_map_count", count_maps(sources.proc), *limit,
                      "raise it with sysctl vm.max_map_count", tenth(*limit)});
  }
  if (const auto limit = sources.address_space) {
    if (const auto used_kib = field(text_of(sources.proc / "self/status"), "VmSize:", 10)) {
      limits.push_back({"rlimit_as", *used_kib << 10, *limit,
                        "raise it with ulimit -v, or give threads smaller stacks with ulimit -s",
                        sources.stack_bytes});
    }
  }
  return limits;
}

ThreadLimit limit_that_was_hit(const ThreadLimitSources& sources) {
  ThreadLimit worst{"memory", 0, 0, "free memory, or ask for fewer threads"};
  double share = -1;
  for (const ThreadLimit& each : thread_limits(sources)) {
    if (each.name == "rlimit_nproc" && share < 0) worst = each;
    if (room(each.used, each.limit) > each.margin) continue;
    const double used = each.limit == 0
                            ? std::numeric_limits<double>::max()
                            : static_cast<double>(each.used) / static_cast<double>(each.limit);
    if (used >= share) {
      share = used;
      worst = each;
    }
  }
  return worst;
}

std::uint64_t threads_that_maps_allow(const ThreadLimitSources& sources) {
  const auto limit = read_limit(sources.proc / "sys/vm/max_map_count");
  if (!limit) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t taken = count_maps(sources.proc) + kReservedMaps;
  return *limit > taken ? (*limit - taken) / 2 : 1;
}

}  // namespace precipice
