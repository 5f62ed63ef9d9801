// Trials against servers that the harness starts: every model gives the digests of inline, loses
// nothing, ends under load, and outlives its server. Skipped where a package is missing.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/trial/trial_runner.hpp"
#include "models/model.hpp"
#include "tests/support/started_server.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Kind {
  const char* workload;
  const char* program;  ///< the name of its processes
  const char* prefix;   ///< of its directory
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.workload; }

std::vector<Spec> every_model() {
  std::vector<Spec> specs;
  for (const ModelInfo& info : models()) {
    if (info.name != "oracle" && !info.unavailable()) specs.push_back({std::string(info.name), {}});
  }
  specs.push_back({"event_loop", {{"contexts", "shared"}}});
  specs.push_back({"work_stealing", {{"io", "block"}, {"threads", "8"}}});
  return specs;
}

class DownstreamTrials : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (const auto why = testing::missing_server(GetParam().workload)) GTEST_SKIP() << *why;
    runner_ = std::make_unique<TrialRunner>(::testing::TempDir());
  }

  TrialRequest trial_of(const Spec& model, double rate_per_s) const {
    TrialRequest request;
    request.model = model;
    request.workload = {GetParam().workload, {{"op", "mixed"}}};
    request.rate_per_s = rate_per_s;
    request.warmup = 50ms;
    request.window = 200ms;
    request.drain = 20s;  // a stall of the machine must not look like a lost request
    request.seed = 11;
    std::vector<int> cpus = CpuSet::of_this_thread().list();
    request.generator_cpus = CpuSet({cpus.front()});
    if (cpus.size() > 1) cpus.erase(cpus.begin());
    request.model_cpus = CpuSet(cpus);
    return request;
  }
  static void expect_conserved(const Trial& trial) {
    const Counts& counts = trial.counts;
    EXPECT_EQ(counts.sent, counts.completed + counts.failed + counts.shed + counts.unfinished);
    EXPECT_EQ(counts.scheduled, counts.sent + counts.unsent);
    EXPECT_FALSE(trial.model_fault);
  }

  std::unique_ptr<TrialRunner> runner_;
};

TEST_P(DownstreamTrials, GiveTheDigestsOfInlineOnEveryModel) {
  const Trial expected = runner_->run(trial_of({"inline", {}}, 500));
  EXPECT_EQ(expected.counts.completed, expected.counts.scheduled);
  for (const Spec& model : every_model()) {
    SCOPED_TRACE(model.to_string());
    const Trial trial = runner_->run(trial_of(model, 500));
    expect_conserved(trial);
    EXPECT_EQ(trial.counts.completed, trial.counts.scheduled);
    EXPECT_EQ(trial.checksum, expected.checksum);
    EXPECT_GT(trial.backend_busy.value(), 0);
    EXPECT_FALSE(trial.backend_lag_p99_ns);
    TrialRequest closed = trial_of(model, 0);
    closed.closed = 24;  // more than there are connections
    closed.warmup = 0ms;
    const Trial loop = runner_->run(closed);
    expect_conserved(loop);
    EXPECT_GT(loop.counts.completed, 0U);
    EXPECT_EQ(loop.counts.failed + loop.counts.shed, 0U);
  }
}

TEST_P(DownstreamTrials, GiveThemInBatchesToo) {
  const Trial expected = runner_->run(trial_of({"inline", {}}, 500));
  for (const Spec& model : every_model()) {
    if (model.name == "inline") continue;
    SCOPED_TRACE(model.to_string());
    TrialRequest request = trial_of(model, 500);
    request.policies = {Spec{"batch", {{"size", "16"}, {"linger", "20ms"}}}};
    request.model.policy = "batched";
    const Trial trial = runner_->run(request);
    expect_conserved(trial);
    EXPECT_EQ(trial.counts.completed, trial.counts.scheduled);
    EXPECT_EQ(trial.checksum, expected.checksum);
    EXPECT_GT(trial.batch->mean, 1);
  }
}

TEST_P(DownstreamTrials, EndUnderLoadWithEveryRequestAccountedFor) {
  for (const Spec& model : every_model()) {
    if (model.name == "inline") continue;
    SCOPED_TRACE(model.to_string());
    TrialRequest request = trial_of(model, 200'000);  // far beyond the server
    request.warmup = 0ms;
    request.window = 100ms;
    request.drain = 1ms;
    const Trial trial = runner_->run(request);
    expect_conserved(trial);
    EXPECT_GT(trial.counts.sent, 0U);
  }
}

/// A model whose server is killed before it gets its hundredth request.
class LosesItsServer final : public Model {
 public:
  LosesItsServer(std::unique_ptr<Model> inner, std::string_view program)
      : inner_(std::move(inner)), program_(program) {}
  unsigned executors(const CpuSet& cpus) const override { return inner_->executors(cpus); }
  void start(const ModelSetup& setup) override { inner_->start(setup); }
  Refusal submit(const Request& request) noexcept override {
    if (request.id == 100) kill_servers();
    return inner_->submit(request);
  }
  void shutdown(Time deadline) noexcept override { inner_->shutdown(deadline); }
  std::uint64_t in_flight() const noexcept override { return inner_->in_flight(); }
  ModelStats stats() const override { return inner_->stats(); }

 private:
  void kill_servers() const {
    const std::vector<pid_t> servers = testing::children_called(::getpid(), program_);
    EXPECT_EQ(servers.size(), 1U);
    for (const pid_t server : servers) {
      const std::vector<pid_t> children = testing::children_called(server, program_);
      ::kill(server, SIGKILL);
      // Those of a PostgreSQL server notice that by themselves.
      for (const pid_t child : children) {
        while (testing::is_alive(child)) std::this_thread::sleep_for(1ms);
      }
    }
  }

  std::unique_ptr<Model> inner_;
  std::string program_;
};

TEST_P(DownstreamTrials, CountTheFailuresOfAServerThatIsKilledAndStartItAgain) {
  for (const Spec& model : every_model()) {
    SCOPED_TRACE(model.to_string());
    const auto make = [](const TrialRequest& request) {
      const ModelInfo& info = model_named(request.model.name);
      return info.make(Options(info.name, info.options, request.model.given));
    };
    TrialRequest request = trial_of(model, 1000);
    runner_->set_model_maker([&](const TrialRequest& each) {
      return std::make_unique<LosesItsServer>(make(each), GetParam().program);
    });
    const Trial trial = runner_->run(request);
    expect_conserved(trial);
    EXPECT_GT(trial.counts.failed, 0U);
    EXPECT_EQ(trial.counts.unfinished, 0U);
    EXPECT_TRUE(std::any_of(
        trial.invalid_reasons.begin(), trial.invalid_reasons.end(),
        [](const InvalidReason& each) { return each.gate == TrialGate::backend_stopped; }));
    runner_->set_model_maker(make);
    const Trial after = runner_->run(request);
    EXPECT_EQ(after.counts.completed, after.counts.scheduled);
  }
}

TEST_P(DownstreamTrials, LeaveNoServerAndNoDirectoryBehind) {
  runner_->run(trial_of({"inline", {}}, 100));
  const std::vector<pid_t> servers = testing::children_called(::getpid(), GetParam().program);
  ASSERT_EQ(servers.size(), 1U);
  const std::vector<fs::path> directories = testing::directories_held(GetParam().prefix);
  ASSERT_EQ(directories.size(), 1U);
  runner_.reset();
  EXPECT_TRUE(testing::children_called(::getpid(), GetParam().program).empty());
  EXPECT_FALSE(fs::exists(directories.front()));
}

INSTANTIATE_TEST_SUITE_P(, DownstreamTrials,
                         ::testing::Values(Kind{"redis", "redis-server", "precipice-redis-"},
                                           Kind{"postgres", "postgres", "precipice-postgres-"}),
                         [](const auto& each) { return std::string(each.param.workload); });

}  // namespace
}  // namespace precipice
