// A Redis or PostgreSQL server for tests of what calls it, started as the harness starts it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "harness/trial/downstream_server.hpp"
#include "workloads/workload.hpp"

namespace precipice::testing {

/// Why the server of this workload cannot be started here, for GTEST_SKIP, or nullopt.
inline std::optional<std::string> missing_server(std::string_view workload) {
  const WorkloadInfo& info = workload_named(workload);
  return info.unavailable != nullptr ? info.unavailable() : std::nullopt;
}

/// Whether a process runs: one that has ended and that nobody has waited for does not.
inline bool is_alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t close = text.rfind(')');
  return close != std::string::npos && text.size() > close + 2 && text[close + 2] != 'Z';
}

/// Processes with this parent and name that run.
inline std::vector<pid_t> children_called(pid_t parent, std::string_view name) {
  std::vector<pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string text;
    std::getline(file, text);
    const std::size_t open = text.find('('), close = text.rfind(')');
    if (close == std::string::npos || text.substr(open + 1, close - open - 1) != name) continue;
    char state = 0;
    long of = 0;
    std::istringstream(text.substr(close + 1)) >> state >> of;
    if (of == parent && state != 'Z') result.push_back(static_cast<pid_t>(std::stol(pid)));
  }
  return result;
}

/// Temporary directories that this process holds open and whose names begin so.
inline std::vector<std::filesystem::path> directories_held(std::string_view prefix) {
  std::vector<std::filesystem::path> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::filesystem::path target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.filename().string().starts_with(prefix)) result.push_back(target);
  }
  return result;
}

class StartedServer {
 public:
  explicit StartedServer(Downstream which)
      : server_(std::make_unique<DownstreamServer>(which, CpuSet::of_this_thread(), nullptr)) {}

  WorkloadSetup setup(unsigned executors = 1) const {
    WorkloadSetup result;
    result.executors = executors;
    result.concurrency = executors;
    server_->enter_into(result);
    return result;
  }
  /// Kills it, as a crash would.
  void kill() {
    ::kill(server_->pid(), SIGKILL);
    while (server_->running()) std::this_thread::yield();
  }
  DownstreamServer& server() { return *server_; }

 private:
  std::unique_ptr<DownstreamServer> server_;
};

}  // namespace precipice::testing
