// Real trials that something goes wrong with: a neighbour on a CPU, a backend at its end, models
// that lose, double and garble requests. What is provoked is so much larger than the machine's own
// noise, or so independent of time, that noise cannot turn the verdict.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "harness/host/host_watch.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/trial_runner.hpp"
#include "tests/support/provocation.hpp"

namespace precipice::testing {
namespace {

using namespace std::chrono_literals;

CpuSet first_cpu() { return CpuSet({CpuSet::of_this_thread().list().front()}); }
CpuSet last_cpu() { return CpuSet({CpuSet::of_this_thread().list().back()}); }
bool one_cpu() { return CpuSet::of_this_thread().size() == 1; }

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
  const ShellChild neighbour("while :; do :; done");
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
  const ShellChild neighbour("while :; do :; done");
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

Trial run_with(Fault fault, const std::string& policies = "") {
  const TemporaryDirectory directory;
  TrialRunner runner(directory.path());
  runner.set_model_maker([fault](const TrialRequest& request) -> std::unique_ptr<Model> {
    const ModelInfo& info = model_named(request.model.name);
    return std::make_unique<FaultyModel>(
        info.make(Options(info.name, info.options, request.model.given)), fault);
  });
  TrialRequest request = light_load();
  if (!policies.empty()) request.policies = parse_policies(policies);
  request.warmup = 0ns;
  request.drain = 30s;  // an undisturbed model is done at once; a disturbed machine gets its time
  // A policy counts what is inside, and with one too few or too many it waits for all of the drain.
  if (fault != Fault::none && !policies.empty()) request.drain = 1s;
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

TEST(ProvokedVerdicts, AModelThatLosesOrDoublesAnAttemptIsFound) {
  const Trial sound = run_with(Fault::none, "none");
  EXPECT_FALSE(sound.model_fault) << all_reasons(sound);
  EXPECT_LE(sound.attempts->little_error, 0.001);
  for (const Fault fault : {Fault::lost, Fault::doubled}) {
    const Trial trial = run_with(fault, "none");
    EXPECT_TRUE(trial.model_fault);
    EXPECT_NE(reason(trial, Cause::model, TrialGate::attempts).find("attempts are not conserved"),
              std::string::npos)
        << all_reasons(trial);
  }
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
}  // namespace precipice::testing
