// A stall of what requests depend on, in trials of models that execute. Only lower bounds of time
// are looked at: a machine makes everything later, and nothing earlier.
#include "harness/trial/stalled_workload.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/trial_runner.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

class Stalls : public ::testing::TestWithParam<std::string> {};

Trial run(const std::string& model, const std::string& policies, const std::string& trigger) {
  static TrialRunner runner(::testing::TempDir() + "precipice-stalls");
  TrialRequest request;
  request.model.name = model;
  request.workload = {"sleep", {{"wait", "1ms"}}};
  if (!policies.empty()) request.policies = parse_policies(policies);
  request.rate_per_s = 1000;
  request.window = 400ms;
  request.warmup = 20ms;
  request.drain = 20s;
  request.seed = 5;
  request.generator_cpus = request.model_cpus = CpuSet::of_this_thread();
  if (!trigger.empty()) request.trigger = Trigger::parse(trigger);
  return runner.run(request);
}

TEST_P(Stalls, HoldUpWhatBeginsInThem) {
  for (const char* policies : {"", "batch:size=4,linger=2ms", "hedge:after=300ms"}) {
    const Trial trial = run(GetParam(), policies, "stall 150ms at 100ms");
    EXPECT_EQ(trial.counts.completed, trial.counts.sent) << policies;
    EXPECT_FALSE(trial.model_fault) << policies;
    ASSERT_TRUE(trial.timeline.has_value());
    // Who arrives at its beginning waits for all of it, and of 1,000/s many do.
    EXPECT_GT(trial.response.max, 140'000'000) << policies;
    EXPECT_GT(trial.response.p90, 20'000'000) << policies;
    // Nothing that has begun in the stall ends before its end.
    const TrialTimeline& t = *trial.timeline;
    for (std::size_t i = 0; i < t.p99_ns.size(); ++i) {
      const double from_s = static_cast<double>(i) * t.slice_s;
      if (from_s < 0.105 || from_s + t.slice_s > 0.2) continue;
      EXPECT_GT(t.p99_ns[i], (0.25 - from_s - t.slice_s) * 1e9 * 0.9) << policies << " " << from_s;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Stalls,
                         ::testing::Values("thread_per_request", "event_loop", "io_uring",
                                           "work_stealing"),
                         [](const auto& each) { return each.param; });

TEST(StalledWorkload, PassesEverythingElseOn) {
  const WorkloadInfo& info = workload_named("mixed");
  const auto inner = info.make(Options(info.name, info.options, {{"work", "300us"}}));
  StalledWorkload stalled(*inner);
  EXPECT_EQ(stalled.nominal_service(), inner->nominal_service());
  EXPECT_EQ(stalled.nominal_draw(7), inner->nominal_draw(7));
  EXPECT_EQ(stalled.nominal_cpu(), inner->nominal_cpu());
  EXPECT_EQ(stalled.downstream(), inner->downstream());
}

}  // namespace
}  // namespace precipice
