// Real trials that something goes wrong with: a stopped process, a neighbour on a CPU, a cgroup
// without quota, a backend at its end, models that lose, double and garble requests. What is
// provoked is so much larger than the machine's own noise, or so independent of time, that noise
// cannot turn the verdict.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "harness/host/host_watch.hpp"
#include "harness/trial/trial_runner.hpp"

extern char** environ;

namespace precipice {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Parsed = nlohmann::json;

CpuSet first_cpu() { return CpuSet({CpuSet::allowed().list().front()}); }
CpuSet last_cpu() { return CpuSet({CpuSet::allowed().list().back()}); }
bool one_cpu() { return CpuSet::allowed().size() == 1; }

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "precipice-verdicts-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { fs::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A shell command as a child; killed by its id if it still runs at the end.
class Child {
 public:
  explicit Child(const std::string& command) {
    std::string shell = "sh", option = "-c", line = command;
    char* const arguments[] = {shell.data(), option.data(), line.data(), nullptr};
    if (posix_spawn(&pid_, "/bin/sh", nullptr, nullptr, arguments, environ) != 0) pid_ = -1;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }
  pid_t pid() const { return pid_; }
  void pin(const CpuSet& cpus) const {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus.list()) CPU_SET(static_cast<std::size_t>(cpu), &set);
    ASSERT_EQ(sched_setaffinity(pid_, sizeof set, &set), 0);
  }
  bool ended() {
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) note(status);
    return pid_ < 0;
  }
  void wait() {
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, 0) == pid_) note(status);
  }
  /// Of a child that has ended by itself; else -1.
  int exit_code() const { return exit_code_; }
  /// It has a thread of this name.
  bool has_thread(const std::string& name) const {
    std::error_code failed;
    for (const auto& task :
         fs::directory_iterator("/proc/" + std::to_string(pid_) + "/task", failed)) {
      std::string command;
      std::getline(std::ifstream(task.path() / "comm"), command);
      if (command == name) return true;
    }
    return false;
  }

 private:
  void note(int status) {
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    pid_ = -1;
  }

  pid_t pid_ = -1;
  int exit_code_ = -1;
};

#ifdef PRECIPICE_BINARY  // ThreadSanitizer's build has no program
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
    Child child(trial_command(directory, "1500ms"));
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
    EXPECT_FALSE(trial.at("valid"));
    EXPECT_FALSE(trial.at("model_fault"));
    const auto causes = causes_of(trial);
    EXPECT_TRUE(causes.contains("host")) << trial.dump(1);
    EXPECT_FALSE(causes.contains("model")) << trial.dump(1);
    EXPECT_GE(trial.at("host").at("hiccup_all_ns").get<std::int64_t>(), 350'000'000);
    return;
  }
  FAIL() << "the stop never fell into the window";
}

#endif

/// Half a second at a load that leaves the model's CPU idle most of the time.
TrialRequest light_load() {
  TrialRequest request;
  request.model = {"fixed_pool", {{"threads", "2"}}};
  request.workload = {"cpu", {{"work", "50us"}}};
  request.rate_per_s = 400;
  request.warmup = 50ms;
  request.window = 600ms;
  request.generator_cpus = first_cpu();
  request.model_cpus = last_cpu();
  return request;
}

std::string reason(const Trial& trial, Cause cause, TrialGate gate) {
  for (const InvalidReason& each : trial.invalid_reasons) {
    if (each.cause == cause && each.gate == gate) return each.text;
  }
  return "";
}

std::string all_reasons(const Trial& trial) {
  std::string result;
  for (const InvalidReason& each : trial.invalid_reasons) {
    result += fmt::format("{} {}: {}\n", to_string(each.cause), to_string(each.gate), each.text);
  }
  return result;
}

TEST(ProvokedVerdicts, AProcessThatBurnsTheModelsCpuIsSeen) {
  const TemporaryDirectory directory;
  TrialRunner runner(directory.path());
  const Child neighbour("while :; do :; done");
  neighbour.pin(last_cpu());
  const Trial trial = runner.run(light_load());
  EXPECT_NE(reason(trial, Cause::host, TrialGate::neighbour), "") << all_reasons(trial);
  EXPECT_FALSE(trial.valid);
  EXPECT_FALSE(trial.model_fault);
  EXPECT_GT(trial.neighbours.took_ns, trial.neighbours.bound_ns());
}

TEST(ProvokedVerdicts, AProcessThatBurnsTheGeneratorsCpuIsSeenThere) {
  if (one_cpu()) GTEST_SKIP() << "one CPU: it is the model's too";
  const TemporaryDirectory directory;
  TrialRunner runner(directory.path());
  const Child neighbour("while :; do :; done");
  neighbour.pin(first_cpu());
  const Trial trial = runner.run(light_load());
  bool named = false;
  for (const InvalidReason& each : trial.invalid_reasons) {
    named = named || (each.gate == TrialGate::neighbour && each.cause == Cause::host &&
                      each.text.find("generator's CPUs") != std::string::npos);
    EXPECT_NE(each.cause, Cause::model) << each.text;
    EXPECT_FALSE(each.cause == Cause::generator && to_string(each.gate).starts_with("self_lag"))
        << each.text;
  }
  EXPECT_TRUE(named) << all_reasons(trial);
}

TEST(ProvokedVerdicts, AThousandRunnableThreadsAreOnTheModelsOwnAccount) {
  constexpr int kThreads = 1000;
  const CpuSet cpus = last_cpu();
  std::atomic<bool> go{false}, stop{false};
  std::latch ready(kThreads);
  std::vector<std::thread> busy;
  const auto process_ns = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  for (int i = 0; i < kThreads; ++i) {
    busy.emplace_back([&] {
      pin_this_thread(cpus);
      ready.count_down();
      go.wait(false);
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  }
  ready.wait();
  const double outer_before = process_ns();
  HostWatch watch(cpus);
  const double inner_before = process_ns();
  go = true;
  go.notify_all();
  const Time from = Io::now();
  std::this_thread::sleep_for(300ms);
  const double inner = process_ns() - inner_before;
  const HostReport report = watch.end(from, Io::now());
  const double outer = process_ns() - outer_before;
  stop = true;
  for (std::thread& thread : busy) thread.join();

  // What they used is on this process's account, to the nanosecond, so it is no neighbour's.
  EXPECT_GE(report.process_cpu_ns, inner);
  EXPECT_LE(report.process_cpu_ns, outer);
  EXPECT_GT(inner, 0);
  if (!report.run_delay_known) GTEST_SKIP() << "the kernel hides run delays";
  // The probe waited for its CPU behind them, and that is taken out of what the host is blamed for,
  // all of it: without that the two sides would differ by the wait.
  EXPECT_GT(report.waited_ns, 0);
  EXPECT_NEAR(report.stalls_ns, report.late_ns - report.waited_ns, 1);
}

TEST(ProvokedVerdicts, ABackendThatIsTooSlowForTheBoundMakesALowerBound) {
  const TemporaryDirectory directory;
  TrialRunner runner(directory.path());
  TrialRequest request = light_load();
  request.workload = {"rpc", {{"wait", "2ms"}}};
  request.rate_per_s = 200;
  // No reply leaves within 5 ns of its time, and every one within an hour.
  request.slo = 100ns;
  const Trial strict = runner.run(request);
  EXPECT_NE(reason(strict, Cause::backend, TrialGate::backend_lag), "") << all_reasons(strict);
  EXPECT_FALSE(strict.model_fault);
  request.slo = 72'000s;
  const Trial lax = runner.run(request);
  EXPECT_EQ(reason(lax, Cause::backend, TrialGate::backend_lag), "") << all_reasons(lax);
}

#ifdef PRECIPICE_BINARY  // ThreadSanitizer's build has no program
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
    Child child(enter + trial_command(directory, "1500ms"));
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

#endif

/// fixed_pool with one thing wrong with request kVictim and no other.
enum class Fault { none, lost, doubled, garbled };

class FaultyModel final : public Model {
 public:
  FaultyModel(std::unique_ptr<Model> inner, Fault fault)
      : inner_(std::move(inner)), fault_(fault) {}

  unsigned executors(const CpuSet& cpus) const override { return inner_->executors(cpus); }
  void start(const ModelSetup& setup) override {
    job_ = setup.job;
    ModelSetup mine = setup;
    mine.job = {&FaultyModel::run, &FaultyModel::refuse, this};
    inner_->start(mine);
  }
  Refusal submit(const Request& request) noexcept override { return inner_->submit(request); }
  void shutdown(Time deadline) noexcept override { inner_->shutdown(deadline); }
  std::uint64_t in_flight() const noexcept override { return inner_->in_flight(); }
  ModelStats stats() const override { return inner_->stats(); }

 private:
  static constexpr std::uint64_t kVictim = 100;

  static Task<void> run(void* self, Io& io, Request request) {
    auto& model = *static_cast<FaultyModel*>(self);
    const Fault fault = request.id == kVictim ? model.fault_ : Fault::none;
    if (fault == Fault::lost) co_return;
    // Another seed is other work: the digest is right for a request that was not asked for.
    if (fault == Fault::garbled) request.seed = (request.seed + 1) % 4096;
    co_await model.job_.run(model.job_.context, io, request);
    if (fault == Fault::doubled) co_await model.job_.run(model.job_.context, io, request);
  }
  static void refuse(void* self, const Request& request, Refusal why) noexcept {
    auto& model = *static_cast<FaultyModel*>(self);
    model.job_.refuse(model.job_.context, request, why);
  }

  std::unique_ptr<Model> inner_;
  Fault fault_;
  Job job_;
};

Trial run_with(Fault fault) {
  const TemporaryDirectory directory;
  TrialRunner runner(directory.path());
  runner.set_model_maker([fault](const TrialRequest& request) -> std::unique_ptr<Model> {
    const ModelInfo& info = model_named(request.model.name);
    return std::make_unique<FaultyModel>(
        info.make(Options(info.name, info.options, request.model.given)), fault);
  });
  TrialRequest request = light_load();
  request.warmup = 0ns;
  request.drain = 30s;  // an undisturbed model is done at once; a disturbed machine gets its time
  return runner.run(request);
}

TEST(ProvokedVerdicts, AModelThatDoesItsWorkIsNotAccused) {
  const Trial trial = run_with(Fault::none);
  EXPECT_FALSE(trial.model_fault) << all_reasons(trial);
  for (const InvalidReason& each : trial.invalid_reasons) EXPECT_NE(each.cause, Cause::model);
  EXPECT_EQ(trial.counts.completed, trial.counts.scheduled);
  EXPECT_GT(trial.speed_ns, 0);  // every trial starts with the probe
  EXPECT_GT(trial.cpu_seconds, 0);
  EXPECT_EQ(trial.hiccup_by_cpu_ns.size(), one_cpu() ? 1U : 2U);
}

TEST(ProvokedVerdicts, AModelThatLosesARequestIsFound) {
  const Trial trial = run_with(Fault::lost);
  EXPECT_TRUE(trial.model_fault);
  EXPECT_FALSE(trial.valid);
  EXPECT_NE(reason(trial, Cause::model, TrialGate::conservation).find("1 requests never ended"),
            std::string::npos)
      << all_reasons(trial);
  EXPECT_EQ(reason(trial, Cause::model, TrialGate::digest), "");
  EXPECT_EQ(trial.counts.unfinished, 1U);
}

TEST(ProvokedVerdicts, AModelThatEndsARequestTwiceIsFound) {
  const Trial trial = run_with(Fault::doubled);
  EXPECT_TRUE(trial.model_fault);
  EXPECT_FALSE(trial.valid);
  EXPECT_NE(reason(trial, Cause::model, TrialGate::conservation).find("1 ended more than once"),
            std::string::npos)
      << all_reasons(trial);
  EXPECT_EQ(reason(trial, Cause::model, TrialGate::digest), "");
}

TEST(ProvokedVerdicts, AModelThatReturnsAWrongDigestIsFound) {
  const Trial trial = run_with(Fault::garbled);
  EXPECT_TRUE(trial.model_fault);
  EXPECT_FALSE(trial.valid);
  EXPECT_NE(reason(trial, Cause::model, TrialGate::digest)
                .find("1 completed requests have a wrong digest"),
            std::string::npos)
      << all_reasons(trial);
  EXPECT_EQ(reason(trial, Cause::model, TrialGate::conservation), "");
}

}  // namespace
}  // namespace precipice
