// The analytic queue against closed forms, and the whole search against queues that it has not
// seen.
#include "harness/trial/simulated_trial.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "harness/trial/policy_chain.hpp"
#include "models/options.hpp"
#include "models/oracle.hpp"

namespace precipice {
namespace {

constexpr double kMs = 1e6;
using Keys = std::map<std::string, std::string>;

Trial run(const Keys& oracle, double rate_per_s, int seconds, std::uint64_t seed = 1,
          std::uint64_t closed = 0, const char* arrivals = "poisson") {
  TrialRequest request;
  request.model = {"oracle", oracle};
  request.workload = {"empty", {}};
  request.rate_per_s = rate_per_s;
  request.closed = closed;
  request.window = std::chrono::seconds(seconds);
  request.warmup = std::chrono::seconds(1);
  request.drain = std::chrono::seconds(5);
  request.seed = seed;
  request.arrivals = Arrivals::parse(arrivals);
  request.clock = ClockKind::virtual_time;
  return simulate_trial(request);
}

void expect_ms(double ns, double expected_ms, double tolerance, const char* what) {
  EXPECT_NEAR(ns / kMs / expected_ms, 1, tolerance) << what << ": " << ns / kMs << " ms";
}

TEST(Oracle, IsMM1AtHalfLoad) {
  const Trial trial = run({{"service", "exponential"}}, 500, 2000);
  EXPECT_TRUE(trial.valid);
  EXPECT_TRUE(trial.stable);
  EXPECT_TRUE(trial.drained);
  EXPECT_LT(trial.little_error, 1e-6);
  EXPECT_NEAR(trial.in_flight_mean, 1, 0.03);
  expect_ms(trial.response.mean, 2.0, 0.015, "mean");
  expect_ms(static_cast<double>(trial.response.p50), 1.386, 0.015, "p50");
  expect_ms(static_cast<double>(trial.response.p99), 9.210, 0.03, "p99");
  expect_ms(static_cast<double>(trial.response.p999), 13.816, 0.06, "p99.9");
}

TEST(Oracle, IsMM1AtLoad08) {
  const Trial trial = run({{"service", "exponential"}}, 800, 2000, 5);
  expect_ms(trial.response.mean, 5.0, 0.05, "mean");
  expect_ms(static_cast<double>(trial.response.p50), 3.466, 0.05, "p50");
  expect_ms(static_cast<double>(trial.response.p99), 23.026, 0.08, "p99");
}

TEST(Oracle, IsMD1AtHalfLoad) {
  const Trial trial = run({}, 500, 1000);
  expect_ms(trial.response.mean, 1.5, 0.01, "mean");
  expect_ms(static_cast<double>(trial.response.p50), 1.0, 0.01, "p50");
  expect_ms(static_cast<double>(trial.response.p99), 4.33, 0.02, "p99");
  expect_ms(static_cast<double>(trial.response.p999), 6.16, 0.04, "p99.9");
}

TEST(Oracle, IsErlangCWithTwoServers) {
  // P(wait) at offered load 1.5 on 2 servers is 0.642857; the mean wait is that / (2 - 1.5) S.
  const Trial trial = run({{"service", "exponential"}, {"servers", "2"}}, 1500, 600);
  expect_ms(trial.response.mean, 1 + 0.642857 / 0.5, 0.03, "mean");
}

TEST(Oracle, SharesItsProcessorWithoutRegardToTheServiceDistribution) {
  for (const char* service : {"fixed", "exponential", "bimodal(0.9,1,10)", "lognormal(2)"}) {
    const Trial trial = run({{"service", service}, {"discipline", "ps"}}, 500, 1000);
    EXPECT_TRUE(trial.valid);
    EXPECT_LT(trial.little_error, 1e-6);
    expect_ms(trial.response.mean, 2.0, 0.03, service);
  }
}

TEST(Oracle, SplitAtRandomIsAnMM1PerServer) {
  const Trial trial = run(
      {{"service", "exponential"}, {"servers", "4"}, {"discipline", "random_split"}}, 2000, 400);
  expect_ms(trial.response.mean, 2.0, 0.02, "mean");
  expect_ms(static_cast<double>(trial.response.p99), 9.210, 0.03, "p99");
}

TEST(Oracle, ShedsWhatErlangBSaysWhateverTheServiceDistribution) {
  // Offered load 3 on 4 servers without a queue loses 0.2061.
  for (const char* service : {"fixed", "exponential", "bimodal(0.9,1,10)"}) {
    const Trial trial = run({{"service", service}, {"servers", "4"}, {"queue", "4"}}, 3000, 100);
    EXPECT_NEAR(trial.loss(), 0.2061, 0.004) << service;
    EXPECT_EQ(trial.counts.sent, trial.counts.completed + trial.counts.shed);
    EXPECT_TRUE(trial.valid);
  }
}

TEST(Oracle, ShedsWhatMM1KSays) {
  // (1 - r) r^5 / (1 - r^6) at load 0.8.
  const Trial trial = run({{"service", "exponential"}, {"queue", "5"}}, 800, 500);
  EXPECT_NEAR(trial.loss(), 0.08882, 0.003);
}

TEST(Oracle, ChargesAStallToEveryRequestThatItDelayed) {
  const Keys stalled = {{"mean", "500us"}, {"stall_at", "5s"}, {"stall_for", "100ms"}};
  const Trial open = run(stalled, 1000, 10, 1, 0, "fixed");
  EXPECT_EQ(open.counts.completed, 10'000U);
  EXPECT_NEAR(open.response.mean, 1.505 * kMs, 1);
  EXPECT_EQ(open.response.p50, 500'000);
  EXPECT_EQ(open.response.p99, 50'500'000);
  EXPECT_EQ(open.response.p999, 95'500'000);
  EXPECT_EQ(open.response.max, 100'500'000);
  EXPECT_NEAR(open.goodput_per_s, 1000, 0.2);
  // The same stall, as one closed-loop client sees it.
  const Trial closed = run(stalled, 0, 10, 1, 1);
  EXPECT_EQ(closed.response.p99, 500'000);
  EXPECT_EQ(closed.response.max, 100'500'000);
}

TEST(Oracle, AlsoStallsWhenItSharesOrSplits) {
  for (const char* discipline : {"ps", "random_split"}) {
    const Trial trial = run(
        {{"mean", "500us"}, {"stall_at", "5s"}, {"stall_for", "100ms"}, {"discipline", discipline}},
        1000, 10, 1, 0, "fixed");
    EXPECT_GE(trial.response.max, 100'000'000) << discipline;
    EXPECT_LT(trial.little_error, 1e-6) << discipline;
    EXPECT_EQ(trial.counts.completed, 10'000U) << discipline;
  }
}

TEST(Oracle, HoldsAClosedLoopAtItsCapacity) {
  // With N >= c in flight and no think time all servers are busy: c / S, and Little gives N.
  for (const char* discipline : {"fcfs", "ps"}) {
    const Trial trial = run(
        {{"servers", "4"}, {"service", "exponential"}, {"discipline", discipline}}, 0, 50, 1, 16);
    EXPECT_NEAR(trial.goodput_per_s, 4000, 60) << discipline;
    EXPECT_NEAR(trial.in_flight_mean, 16, 0.01) << discipline;
    EXPECT_TRUE(trial.valid);
  }
}

TEST(Oracle, CountsCapacityAndNotBacklogAsGoodputInOverload) {
  const Trial trial = run({}, 1500, 2);
  EXPECT_NEAR(trial.goodput_per_s, 1000, 2);
  EXPECT_FALSE(trial.stable);
}

TEST(Oracle, RepeatsItselfFromItsSeed) {
  const Keys keys = {{"service", "exponential"}};
  EXPECT_EQ(run(keys, 700, 5, 9).response.p99, run(keys, 700, 5, 9).response.p99);
  EXPECT_NE(run(keys, 700, 5, 9).response.p99, run(keys, 700, 5, 10).response.p99);
}

TEST(Oracle, MeetsAClosedLoopAgainLaterWhereAPolicyRefuses) {
  // A retry passes on its last refusal at once, and at the same instant its lane would be refused
  // again, for ever.
  TrialRequest request;
  request.model = {"oracle", {}};
  request.workload = {"empty", {}};
  request.policies = parse_policies("retry:tries=2|limit:limit=1");
  request.closed = 4;
  request.window = std::chrono::seconds(2);
  request.warmup = std::chrono::seconds(1);
  request.drain = std::chrono::seconds(1);
  request.arrivals = Arrivals::parse("poisson");
  request.clock = ClockKind::virtual_time;
  const Trial trial = simulate_trial(request);
  EXPECT_TRUE(trial.valid);
  EXPECT_NEAR(trial.goodput_per_s, 1000, 5);
  // Each of the other three comes back once in a service time of 1 ms.
  EXPECT_NEAR(static_cast<double>(trial.counts.shed), 6000, 30);
}

TEST(Oracle, RefusesOtherModelsWorkloadsAndNonsense) {
  EXPECT_THROW(run({{"servers", "0"}}, 100, 1), UsageError);
  EXPECT_THROW(run({{"service", "gaussian"}}, 100, 1), UsageError);
  EXPECT_THROW(run({{"mean", "0ms"}}, 100, 1), UsageError);
  EXPECT_THROW(run({{"discipline", "lifo"}}, 100, 1), UsageError);
  EXPECT_THROW(run({}, 0, 1), UsageError);
  TrialRequest request;
  request.rate_per_s = 100;
  request.model.name = "fixed_pool";
  request.workload.name = "empty";
  EXPECT_THROW(simulate_trial(request), UsageError);
  request.model.name = "oracle";
  request.workload.name = "cpu";
  EXPECT_THROW(simulate_trial(request), UsageError);
}

TEST(Oracle, RefusesInRealTimeWhatOnlyTheVirtualClockHas) {
  for (const char* discipline : {"ps", "random_split"}) {
    const Options options("oracle", oracle_keys(), {{"discipline", discipline}});
    const auto model = oracle_model().make(options);  // a name is checked before the clock is known
    EXPECT_THROW(model->start({}), UsageError);
  }
}

}  // namespace
}  // namespace precipice
