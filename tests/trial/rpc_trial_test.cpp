// Trials with the rpc backend on the generator's thread and on a thread of its own: the same
// requests with the same answers, and the same ways to end. No figure is judged.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>

#include "harness/trial/trial_runner.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

TrialRequest calls(std::string_view model) {
  TrialRequest request;
  request.model = {std::string(model), {}};
  request.workload = {"rpc", {{"wait", "1ms"}, {"dist", "exponential"}}};
  request.rate_per_s = 500;
  request.warmup = 20ms;
  request.window = 200ms;
  request.drain = 60s;  // ends when all have been answered
  request.generator_cpus = CpuSet({CpuSet::of_this_thread().list().front()});
  request.model_cpus = CpuSet({CpuSet::of_this_thread().list().back()});
  return request;
}

class RpcTrial : public ::testing::TestWithParam<std::string_view> {
 protected:
  TrialRunner runner_{(std::filesystem::temp_directory_path() / "precipice-rpc").string()};
};

std::vector<std::string_view> those_that_run() {
  std::vector<std::string_view> names;
  for (const ModelInfo& info : models()) {
    if (info.name != "oracle" && !info.unavailable()) names.push_back(info.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, RpcTrial, ::testing::ValuesIn(those_that_run()),
                         [](const auto& each) { return std::string(each.param); });

TEST_P(RpcTrial, OneThreadAndTwoGiveTheSameAnswers) {
  const TrialRequest one = calls(GetParam());
  TrialRequest two = one;
  two.generator_cpus = CpuSet::of_this_thread();
  if (two.generator_cpus.size() == 1) GTEST_SKIP() << "one CPU";
  const Trial with_one = runner_.run(one), with_two = runner_.run(two);
  for (const Trial* trial : {&with_one, &with_two}) {
    EXPECT_GT(trial->counts.completed, 0U);
    EXPECT_EQ(trial->counts.completed, trial->counts.scheduled);
    EXPECT_FALSE(trial->model_fault);
    EXPECT_GT(trial->backend_busy.value(), 0);
    EXPECT_LE(trial->backend_busy.value(), 1);
    EXPECT_GT(trial->backend_lag_p99_ns.value(), 0);
  }
  EXPECT_EQ(with_one.checksum, with_two.checksum);
  // A model that calls the backend from the generator's thread needs another to answer there.
  EXPECT_EQ(with_one.no_spin, GetParam() == "inline");
  EXPECT_TRUE(with_two.no_spin);
}

TEST_P(RpcTrial, OneCpuForAllDoes) {
  TrialRequest request = calls(GetParam());
  request.model_cpus = request.generator_cpus;
  const Trial trial = runner_.run(request);
  EXPECT_EQ(trial.counts.completed, trial.counts.scheduled);
  EXPECT_FALSE(trial.model_fault);
  EXPECT_TRUE(trial.no_spin);
}

TEST_P(RpcTrial, AClosedLoopIsServedWithAndWithoutThinkTime) {
  TrialRequest request = calls(GetParam());
  request.rate_per_s = 0;
  request.closed = 4;
  for (const Nanos think : {Nanos(0), Nanos(1ms)}) {
    request.think = think;
    Trial trial = runner_.run(request);
    // A stall of the machine may last longer than a window.
    for (int again = 0; trial.counts.completed == 0 && again < 20; ++again)
      trial = runner_.run(request);
    EXPECT_GT(trial.counts.completed, 0U);
    EXPECT_EQ(trial.counts.failed, 0U);
    EXPECT_FALSE(trial.model_fault);
  }
}

TEST_P(RpcTrial, EndsWhenTheUserWantsItTo) {
  const std::atomic<bool> stop{true};
  runner_.set_stop(&stop);
  for (const std::uint64_t closed : {0U, 4U}) {
    TrialRequest request = calls(GetParam());
    request.window = 10min;
    request.closed = closed;
    if (closed > 0) request.rate_per_s = 0;
    const Trial trial = runner_.run(request);
    EXPECT_FALSE(trial.valid);
    EXPECT_FALSE(trial.model_fault);
  }
}

}  // namespace
}  // namespace precipice
