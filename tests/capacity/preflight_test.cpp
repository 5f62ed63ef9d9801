#include "harness/capacity/preflight.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/noise_samples.hpp"

namespace precipice {
namespace {

using testing::quiet;
using testing::stall;

constexpr Nanos kWindow = std::chrono::milliseconds(500);

Plan plan_of(std::vector<Spec> workloads) {
  Plan plan;
  plan.window = kWindow;
  plan.models = {{"fixed_pool", {{"threads", "2"}}}};
  plan.workloads = std::move(workloads);
  return plan;
}

/// Stalls of 4.5 ms, 38 in 2 s: a window of half a second is clean once in 33,000.
NoiseFloor noisy() {
  NoiseSamples samples = quiet();
  for (int i = 0; i < 38; ++i) stall(samples, 0, 50 * i + 7, 4'500'000);
  return NoiseFloor(samples);
}

TEST(Preflight, NamesTheWorkloadsBelowTheFloorAndTheSmallestServiceTime) {
  const Plan plan = plan_of(
      {{"cpu", {{"work", "20us"}}}, {"cpu", {{"work", "2ms"}}}, {"sleep", {{"wait", "1ms"}}}});
  const auto sentences = preflight(plan, noisy());
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(
      sentences[0],
      "cpu:work=20us has an SLO of 200us; stalls of this machine alone exceed half of that in "
      "100% of 0.5 s windows: expect no valid trial. The smallest S that can be resolved here "
      "is about 900us.");
  EXPECT_NE(sentences[1].find("sleep:wait=1ms has an SLO of 2.00ms"), std::string::npos)
      << sentences[1];
  EXPECT_NE(sentences[1].find("The smallest SLO that can be resolved here is about 9.00ms."),
            std::string::npos)
      << sentences[1];
  EXPECT_FALSE(nothing_resolvable(plan, noisy())) << "2 ms of work can be measured";
}

TEST(Preflight, SaysWhenNothingCanBeResolved) {
  EXPECT_TRUE(nothing_resolvable(plan_of({{"cpu", {{"work", "20us"}}}}), noisy()));
  EXPECT_FALSE(nothing_resolvable(plan_of({{"file", {}}}), noisy())) << "its S is not known yet";
  EXPECT_TRUE(preflight(plan_of({{"file", {}}}), noisy()).empty());
}

TEST(Preflight, TakesTheUsersBoundTheOracleAndTheVirtualClock) {
  Plan plan = plan_of({{"cpu", {{"work", "20us"}}}});
  plan.slo.bound = std::chrono::milliseconds(50);
  EXPECT_TRUE(preflight(plan, noisy()).empty()) << "50 ms can be resolved";
  plan.slo = {};
  plan.slo.times_service = 1000;
  EXPECT_TRUE(preflight(plan, noisy()).empty()) << "so can 1000 x 20 us";
  plan.slo = {};
  plan.only = "sleep";
  EXPECT_TRUE(preflight(plan, noisy()).empty()) << "nothing of it is measured";
  plan.only.clear();
  plan.clock = ClockKind::virtual_time;
  EXPECT_TRUE(preflight(plan, noisy()).empty());

  Plan oracle = plan_of({{"empty", {}}});
  oracle.models = {{"oracle", {{"mean", "50us"}}}};
  ASSERT_EQ(preflight(oracle, noisy()).size(), 1u);
  EXPECT_TRUE(preflight(oracle, noisy())[0].starts_with("oracle:mean=50us has an SLO of 500us"));
}

TEST(Preflight, BlamesStealAndTheGeneratorByName) {
  NoiseSamples stolen = quiet();
  stolen.steal_ticks = 40;
  stolen.steal_percent = 10;
  const Plan plan = plan_of({{"cpu", {{"work", "20us"}}}});
  ASSERT_EQ(preflight(plan, NoiseFloor(stolen)).size(), 1u);
  EXPECT_NE(preflight(plan, NoiseFloor(stolen))[0].find("steals 10.0%"), std::string::npos);
  NoiseSamples late = quiet();
  for (auto& lag : late.self_lags) lag.late_ns = 90'000;
  ASSERT_EQ(preflight(plan, NoiseFloor(late)).size(), 1u);
  EXPECT_NE(preflight(plan, NoiseFloor(late))[0].find("the generator alone is 90.0us late"),
            std::string::npos)
      << preflight(plan, NoiseFloor(late))[0];
}

}  // namespace
}  // namespace precipice
