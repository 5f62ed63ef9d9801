// Triggers: their texts, the schedules that they make, and a trial in slices around one.
#include "harness/trial/trigger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/simulated_trial.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

TEST(Trigger, IsReadBackFromItsText) {
  for (const char* text : {"stall 500ms at 2s", "step 1.4x at 2s", "step 0.5x for 1s at 0"}) {
    const Trigger read = Trigger::parse(text);
    const Trigger again = Trigger::parse(read.to_string());
    EXPECT_EQ(again.to_string(), read.to_string());
    EXPECT_EQ(again.at, read.at);
    EXPECT_EQ(again.length, read.length);
    EXPECT_EQ(again.factor, read.factor);
  }
  EXPECT_EQ(Trigger::parse("step 1.4x for 1s at 2s").length, 1s);
  for (const char* text : {"", "stall", "stall 0s at 1s", "step 2 at 1s", "step 0x at 1s",
                           "step 2x for at 1s", "stall 1s for 2s at 3s", "jump 1s at 2s"}) {
    EXPECT_THROW(Trigger::parse(text), UsageError) << text;
  }
}

TEST(Trigger, MultipliesTheRateWhileItLasts) {
  const Arrivals arrivals = Arrivals::parse("fixed");
  const auto count = [](const std::vector<std::int64_t>& times, double from_s, double to_s) {
    return std::count_if(times.begin(), times.end(),
                         [&](std::int64_t at) { return at >= from_s * 1e9 && at < to_s * 1e9; });
  };
  // A second of warm-up, a window of four seconds, 100 a second.
  const auto lasting =
      Trigger::parse("step 3x at 2s").schedule(arrivals, 100, 1'000'000'000, 5'000'000'000, 1);
  EXPECT_NEAR(count(lasting, 0, 3), 300, 1);
  EXPECT_NEAR(count(lasting, 3, 5), 600, 1);
  const auto passing = Trigger::parse("step 3x for 500ms at 2s")
                           .schedule(arrivals, 100, 1'000'000'000, 5'000'000'000, 1);
  EXPECT_NEAR(count(passing, 0, 3), 300, 1);
  EXPECT_NEAR(count(passing, 3, 3.5), 150, 1);
  EXPECT_NEAR(count(passing, 3.5, 5), 150, 1);
  const auto less =
      Trigger::parse("step 0.5x at 2s").schedule(arrivals, 100, 1'000'000'000, 5'000'000'000, 1);
  EXPECT_NEAR(count(less, 3, 5), 100, 1);
  EXPECT_TRUE(std::is_sorted(passing.begin(), passing.end()));
}

Trial run(const std::string& policies, const std::string& trigger, double rate_per_s) {
  TrialRequest request;
  request.model = {"oracle", {{"servers", "3"}, {"mean", "10ms"}, {"service", "exponential"}}};
  request.workload = {"empty", {}};
  request.policies = parse_policies(policies);
  request.rate_per_s = rate_per_s;
  request.window = 60s;
  request.warmup = 1s;
  request.drain = 10s;
  request.trigger = Trigger::parse(trigger);
  request.slo = 150ms;
  request.clock = ClockKind::virtual_time;
  return simulate_trial(request);
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(TrialTimeline, AddsUpToTheTrial) {
  const Trial trial = run("hedge:after=30ms", "stall 1s at 10s", 100);
  ASSERT_TRUE(trial.timeline.has_value());
  const TrialTimeline& t = *trial.timeline;
  ASSERT_EQ(t.goodput_per_s.size(), TrialTimeline::kSlices);
  EXPECT_NEAR(t.slice_s, 60.0 / 50, 1e-9);
  EXPECT_NEAR(sum(t.offered_per_s) * t.slice_s, static_cast<double>(trial.counts.scheduled), 0.01);
  EXPECT_NEAR(sum(t.goodput_per_s) * t.slice_s, trial.goodput_per_s * 60, 0.01);
  EXPECT_GE(sum(t.attempts_per_s) * t.slice_s, static_cast<double>(trial.counts.completed));
  // The warm-up's last attempts are not the first slice's.
  EXPECT_NEAR(t.attempts_per_s.front() / t.offered_per_s.front(), 1.05, 0.1);
  EXPECT_EQ(t.knob, "hedge_after_ns");
  EXPECT_EQ(t.knob_values.front(), 30e6);
  // The stall is in the slice that holds 10 s: nothing completes for most of it.
  const auto stalled = static_cast<std::size_t>(10 / t.slice_s);
  EXPECT_LT(t.goodput_per_s[stalled], 70);
  EXPECT_GT(t.p99_ns[stalled], 150e6);
  ASSERT_TRUE(t.recovered_after_s.has_value());
  EXPECT_GT(*t.recovered_after_s, 1);
  EXPECT_LT(*t.recovered_after_s, 10);
}

TEST(TrialTimeline, ShowsThatRetriesKeepAnOverloadAlive) {
  // 280/s offered to 300/s, one retry: 560/s of attempts keep the queue beyond every timeout
  // (Bronson et al., Metastable failures in distributed systems, HotOS 2021).
  const Trial down = run("retry:timeout=200ms,tries=2", "stall 1s at 10s", 280);
  EXPECT_FALSE(down.timeline->recovered_after_s.has_value());
  EXPECT_LT(down.timeline->goodput_per_s.back(), 28);
  EXPECT_NEAR(down.timeline->attempts_per_s.back(), 560, 60);
}

TEST(TrialTimeline, IsLostBetweenWhatRetriesLeaveOfTheCapacityAndTheCapacity) {
  // After the stall every request is sent 1 + r times, or 1 + B with a budget, so that loads from
  // m / (1 + r) or m / (1 + B) on stay down, and those below recover. m is 300/s.
  struct Case {
    const char* retries;
    double carried;
  };
  for (const auto& [retries, carried] :
       {Case{"tries=2", 300.0 / 2}, Case{"tries=3", 300.0 / 3},
        Case{"tries=2,budget=20%", 300 / 1.2}, Case{"tries=4,budget=50%", 300 / 1.5}}) {
    const std::string policy = std::string("retry:timeout=200ms,") + retries;
    const Trial below = run(policy, "stall 1s at 10s", 0.8 * carried);
    EXPECT_TRUE(below.timeline->recovered_after_s.has_value()) << retries;
    const Trial above = run(policy, "stall 1s at 10s", std::min(1.2 * carried, 290.0));
    EXPECT_FALSE(above.timeline->recovered_after_s.has_value()) << retries;
  }
}

TEST(TrialTimeline, IsThereWithATriggerOnly) {
  TrialRequest request;
  request.model = {"oracle", {}};
  request.workload = {"empty", {}};
  request.rate_per_s = 100;
  request.clock = ClockKind::virtual_time;
  EXPECT_FALSE(simulate_trial(request).timeline.has_value());
  request.trigger = Trigger::parse("step 2x at 500ms");
  const Trial bare = simulate_trial(request);
  ASSERT_TRUE(bare.timeline.has_value());
  EXPECT_TRUE(bare.timeline->attempts_per_s.empty());
}

}  // namespace
}  // namespace precipice
