#include "models/thread_limits.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

namespace precipice {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kReservedMaps = 2048;

std::optional<std::uint64_t> read_number(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;  // absent, or "max"
}

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

bool names_pids(const std::string& controllers) {
  return ("," + controllers + ",").find(",pids,") != std::string::npos;
}

/// The tightest pids.max between this process's cgroup and the root, version 1 or 2.
std::optional<ThreadLimit> pids_cgroup(const ThreadLimitSources& sources) {
  std::optional<ThreadLimit> tightest;
  std::ifstream in(sources.proc / "self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !names_pids(controllers)) continue;
    const fs::path mount = controllers.empty() ? sources.cgroup : sources.cgroup / controllers;
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    for (;;) {
      const fs::path directory = mount / group;
      const auto limit = read_number(directory / "pids.max");
      const auto used = read_number(directory / "pids.current");
      if (limit && used &&
          (!tightest || room(*used, *limit) < room(tightest->used, tightest->limit))) {
        tightest = ThreadLimit{"pids_cgroup", *used, *limit,
                               "raise " + (directory / "pids.max").string() +
                                   " (docker: --pids-limit, systemd: TasksMax)"};
      }
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
  return tightest;
}

}  // namespace

ThreadLimitSources ThreadLimitSources::here() {
  ThreadLimitSources sources;
  sources.user = getuid();
  rlimit processes{};
  // The kernel lets the superuser pass this one.
  if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &processes) == 0 &&
      processes.rlim_cur != RLIM_INFINITY) {
    sources.most_processes = processes.rlim_cur;
  }
  return sources;
}

std::vector<ThreadLimit> thread_limits(const ThreadLimitSources& sources) {
  std::vector<ThreadLimit> limits;
  if (sources.most_processes) {
    limits.push_back({"rlimit_nproc", count_threads_of_user(sources.proc, sources.user),
                      *sources.most_processes, "raise it with ulimit -u"});
  }
  if (auto cgroup = pids_cgroup(sources)) limits.push_back(*cgroup);
  const fs::path kernel = sources.proc / "sys/kernel";
  if (const auto used = count_all_threads(sources.proc)) {
    if (const auto limit = read_number(kernel / "pid_max")) {
      limits.push_back({"pid_max", *used, *limit, "raise it with sysctl kernel.pid_max"});
    }
    if (const auto limit = read_number(kernel / "threads-max")) {
      limits.push_back({"threads_max", *used, *limit, "raise it with sysctl kernel.threads-max"});
    }
  }
  if (const auto limit = read_number(sources.proc / "sys/vm/max_map_count")) {
    limits.push_back({"max_map_count", count_maps(sources.proc), *limit,
                      "raise it with sysctl vm.max_map_count"});
  }
  return limits;
}

ThreadLimit limit_that_was_hit(const ThreadLimitSources& sources) {
  ThreadLimit worst{"unknown", 0, 0, "free memory, or ask for fewer threads"};
  double share = 0.9;
  for (const ThreadLimit& each : thread_limits(sources)) {
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
  const auto limit = read_number(sources.proc / "sys/vm/max_map_count");
  if (!limit) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t taken = count_maps(sources.proc) + kReservedMaps;
  return *limit > taken ? (*limit - taken) / 2 : 1;
}

}  // namespace precipice
