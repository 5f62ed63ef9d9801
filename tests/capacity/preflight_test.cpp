#include "harness/capacity/preflight.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/noise_samples.hpp"
#include "tests/support/noise_watch.hpp"

namespace precipice {
namespace {

using testing::neighbour;
using testing::quiet;
using testing::quiet_watch;
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
}

TEST(Preflight, SaysNothingOfWorkWhoseServiceTimeIsNotKnown) {
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

TEST(Preflight, NamesWhatWillMakeTrialsInvalidAndHowMany) {
  Plan plan = plan_of({{"cpu", {{"work", "1ms"}}}, {"file", {}}});
  NoiseWatch watch = quiet_watch();
  EXPECT_EQ(expected_losses(plan, watch), "");
  neighbour(watch, 1, 0.6);
  watch.processes = {{4242, "cc1plus", 0.5}, {77, "make\x1b[31m", 0.1}};
  const std::string said = expected_losses(plan, watch);
  EXPECT_TRUE(said.starts_with("about 100% of the trials would be invalid here now, ")) << said;
  EXPECT_NE(said.find("(neighbour 100%): other processes used 60% of CPU 1 (the model's): "
                      "cc1plus (pid 4242) 50%, make\\x1b[31m (pid 77) 10%; it goes on"),
            std::string::npos)
      << said;
  plan.precision = 0.03;
  EXPECT_TRUE(expected_losses(plan, watch)
                  .starts_with("about 100% of the trials would be invalid here now (neighbour"))
      << "how many trials it takes is not known then";
  watch.processes.clear();
  EXPECT_NE(expected_losses(plan, watch).find("none of them is visible here"), std::string::npos);
  plan.clock = ClockKind::virtual_time;
  EXPECT_EQ(expected_losses(plan, watch), "");
}

TEST(Preflight, SaysNothingWhereAThirdOrLessIsLost) {
  const Plan plan = plan_of({{"cpu", {{"work", "1ms"}}}});
  NoiseWatch watch = quiet_watch();
  stall(watch.samples, 1, 100, 6'000'000);
  EXPECT_EQ(expected_losses(plan, watch), "") << "met by the first trials only";
  stall(watch.samples, 1, 1000, 6'000'000);
  EXPECT_NE(expected_losses(plan, watch).find("(stall "), std::string::npos);
}

TEST(Preflight, ShortensTheWindowWhereMoreOfTheTimeIsValidThen) {
  Plan plan = plan_of({{"cpu", {{"work", "1ms"}}}});
  plan.window = std::chrono::seconds(1);
  plan.brief = true;
  NoiseWatch watch = quiet_watch();
  EXPECT_EQ(window_for_noise(plan, watch), plan.window) << "nothing disturbs";
  for (const int at : {400, 1000, 1600}) stall(watch.samples, 1, at, 6'000'000);
  const Nanos window = window_for_noise(plan, watch);
  EXPECT_LT(window, std::chrono::milliseconds(600));
  EXPECT_GE(window, std::chrono::milliseconds(200)) << "20 times the SLO of 10 ms";

  NoiseWatch always = quiet_watch();
  neighbour(always, 1, 0.6);
  EXPECT_EQ(window_for_noise(plan, always), plan.window) << "no window is short enough";
  Plan slow = plan_of({{"cpu", {{"work", "10ms"}}}});
  slow.window = std::chrono::seconds(1);
  EXPECT_EQ(window_for_noise(slow, watch), slow.window) << "its cliff needs 2 s";
}

TEST(Preflight, WatchesTwoTrialsWithinBounds) {
  Plan plan = plan_of({{"cpu", {{"work", "1ms"}}}});
  EXPECT_EQ(preflight_watch(plan), std::chrono::milliseconds(1600));
  plan.window = std::chrono::seconds(5);
  EXPECT_EQ(preflight_watch(plan), std::chrono::seconds(2));
  plan.clock = ClockKind::virtual_time;
  EXPECT_EQ(preflight_watch(plan), std::chrono::milliseconds(400));
}

}  // namespace
}  // namespace precipice
