// Trials in a process of their own that the host holds up: a stop, and a cgroup without quota.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "tests/support/provocation.hpp"

namespace precipice::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Parsed = nlohmann::json;

/// A `precipice trial` of a few requests, as a process; its document goes to a file.
std::string trial_command(const TemporaryDirectory& directory, const char* seconds) {
  return "exec env PRECIPICE_SCRATCH=" + directory.path() +
         " " PRECIPICE_BINARY
         " trial --model fixed_pool:threads=2 --workload cpu:work=50us --rate 500 --warmup 100ms "
         "--seconds " +
         seconds + " --json >" + (directory / "trial.json") + " 2>/dev/null </dev/null";
}

Parsed document(const TemporaryDirectory& directory) {
  std::ifstream file(directory / "trial.json");
  return Parsed::parse(file, nullptr, false);
}

std::set<std::string> causes_of(const Parsed& trial) {
  std::set<std::string> causes;
  for (const auto& reason : trial.at("invalid_reasons")) causes.insert(reason.at("cause"));
  return causes;
}

TEST(ProvokedVerdicts, AStoppedProcessIsTheHostsDoingAndNeverTheModels) {
  // The document is of no use only if this test itself was held up for longer than the window.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const TemporaryDirectory directory;
    ShellChild child(trial_command(directory, "1500ms"));
    ASSERT_GT(child.pid(), 0);
    while (!child.has_thread("host-probe") && !child.ended()) std::this_thread::sleep_for(5ms);
    if (child.ended()) continue;
    std::this_thread::sleep_for(300ms);
    if (child.ended()) continue;
    kill(child.pid(), SIGSTOP);
    std::this_thread::sleep_for(400ms);
    kill(child.pid(), SIGCONT);
    child.wait();
    const Parsed trial = document(directory);
    ASSERT_FALSE(trial.is_discarded());
    if (trial.at("host").at("hiccup_max_ns").get<std::int64_t>() < 350'000'000) continue;
    // A probe that something else held up already began its stall earlier, so that it is not
    // shared.
    if (trial.at("host").at("hiccup_all_ns").get<std::int64_t>() < 350'000'000) continue;
    EXPECT_FALSE(trial.at("valid"));
    EXPECT_FALSE(trial.at("model_fault"));
    const auto causes = causes_of(trial);
    EXPECT_TRUE(causes.contains("host")) << trial.dump(1);
    EXPECT_FALSE(causes.contains("model")) << trial.dump(1);
    return;
  }
  FAIL() << "no stop was seen by all probes within the window";
}

/// A cgroup whose quota can be set, in the version 1 hierarchy or in version 2's.
class Quota {
 public:
  Quota() {
    const std::string name = "/precipice-test-" + std::to_string(getpid());
    std::error_code failed;
    for (const bool v2 : {false, true}) {
      v2_ = v2;
      directory_ = (v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu") + name;
      if (!fs::create_directory(directory_, failed) || failed) continue;
      if (lift() && fs::exists(directory_ + "/cpu.stat")) return;
      rmdir(directory_.c_str());
    }
    directory_.clear();
  }
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;
  ~Quota() {
    // A cgroup can be removed once the last of its processes has been reaped.
    for (int i = 0; !directory_.empty() && i < 100 && rmdir(directory_.c_str()) != 0; ++i) {
      std::this_thread::sleep_for(10ms);
    }
  }
  const std::string& directory() const { return directory_; }
  /// 2 ms in every 100: whoever wants more than a fiftieth of a CPU is stopped.
  bool impose() const { return write(v2_ ? "2000 100000" : "2000"); }
  bool lift() const { return write(v2_ ? "max 100000" : "-1"); }

 private:
  bool write(const char* quota) const {
    std::ofstream file(directory_ + (v2_ ? "/cpu.max" : "/cpu.cfs_quota_us"));
    file << quota << std::flush;
    return file.good();
  }
  std::string directory_;
  bool v2_ = false;
};

TEST(ProvokedVerdicts, AThrottledCgroupIsTheHosts) {
  const Quota quota;
  if (quota.directory().empty()) {
    GTEST_SKIP() << "no CPU quota can be set under /sys/fs/cgroup (not root, or read-only)";
  }
  constexpr int kNotMoved = 99;
  const std::string enter =
      "echo $$ >" + quota.directory() + "/cgroup.procs || exit " + std::to_string(kNotMoved) + "; ";
  for (int attempt = 0; attempt < 3; ++attempt) {
    const TemporaryDirectory directory;
    ShellChild child(enter + trial_command(directory, "1500ms"));
    while (!child.has_thread("host-probe") && !child.ended()) std::this_thread::sleep_for(5ms);
    if (child.ended()) {
      if (child.exit_code() == kNotMoved) GTEST_SKIP() << "no process can be moved to the cgroup";
      continue;
    }
    ASSERT_TRUE(quota.impose());
    std::this_thread::sleep_for(400ms);  // several periods
    ASSERT_TRUE(quota.lift());
    // Held up for so long that the trial was over before the quota was there.
    if (child.ended()) continue;
    child.wait();
    const Parsed trial = document(directory);
    ASSERT_FALSE(trial.is_discarded());
    bool throttled = false;
    for (const auto& each : trial.at("invalid_reasons")) {
      throttled = throttled || (each.at("cause") == "host" && each.at("gate") == "throttling");
    }
    EXPECT_TRUE(throttled) << trial.at("invalid_reasons").dump(1);
    EXPECT_FALSE(trial.at("model_fault"));
    return;
  }
  FAIL() << "no trial lasted until the quota was imposed";
}

}  // namespace
}  // namespace precipice::testing
