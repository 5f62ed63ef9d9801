// The analytic queue against closed forms, and the whole search against queues that it has not
// seen.
#include "harness/trial/simulated_trial.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "harness/trial/policy_chain.hpp"
#include "models/options.hpp"
#include "models/oracle.hpp"
#include "tests/support/simulated_policy.hpp"

namespace precipice {
namespace {

using testing::expect_near;
using testing::Keys;
using testing::kMs;
using testing::kRoom;
using testing::Repeated;

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

TEST(Oracle, IsMM1) {
  // The standard error of the mean of n responses is sqrt(rho (2 + 5 rho - 4 rho^2 + rho^3) / n) /
  // (1 - rho) of it (Daley 1968): 0.9% for a million at 0.8.
  for (const double rho : {0.3, 0.5, 0.8}) {
    const Repeated trials(rho > 0.7 ? 6 : 1, {{"service", "exponential"}}, "", 1000 * rho);
    for (const Trial& trial : trials.all()) {
      EXPECT_TRUE(trial.stable);
      EXPECT_TRUE(trial.drained);
      EXPECT_LT(trial.little_error, 1e-6);
    }
    const std::string at = " at " + std::to_string(rho);
    expect_near(trials.of([](const Trial& trial) { return trial.in_flight_mean; }), rho / (1 - rho),
                0.01, "in flight" + at);
    expect_near(trials.mean_ms(), 1 / (1 - rho), 0.01, "mean" + at);
    expect_near(
        trials.of([](const Trial& trial) { return static_cast<double>(trial.response.p50) / kMs; }),
        std::log(2) / (1 - rho), 0.01, "p50" + at);
    expect_near(trials.p99_ms(), std::log(100) / (1 - rho), 0.03, "p99" + at);
    expect_near(trials.of([](const Trial& trial) {
      return static_cast<double>(trial.response.p999) / kMs;
    }),
                std::log(1000) / (1 - rho), 0.06, "p99.9" + at);
  }
}

TEST(Oracle, IsMD1AtHalfLoad) {
  const Repeated trials(1, {}, "", 500);
  const Percentiles& response = trials.all().front().response;
  expect_near(response.mean / kMs, 1.5, 0.01, "mean");
  expect_near(static_cast<double>(response.p50) / kMs, 1.0, 0.01, "p50");
  expect_near(static_cast<double>(response.p99) / kMs, 4.33, 0.02, "p99");
  expect_near(static_cast<double>(response.p999) / kMs, 6.16, 0.04, "p99.9");
}

TEST(Oracle, IsErlangCWithSeveralServers) {
  // The mean wait is P(wait) / (c - a) of a service, a the offered load.
  struct Case {
    int servers;
    double load;
  };
  for (const auto& [servers, load] : {Case{2, 1.5}, Case{8, 6}, Case{64, 58}}) {
    const double blocked = testing::erlang_b(servers, load);
    const double waits = blocked / (1 - load / servers * (1 - blocked));
    const Repeated trials(1, {{"service", "exponential"}, {"servers", std::to_string(servers)}}, "",
                          1000 * load);
    expect_near(trials.mean_ms(), 1 + waits / (servers - load), 0.01, std::to_string(servers));
  }
}

TEST(Oracle, SharesItsProcessorWithoutRegardToTheServiceDistribution) {
  for (const char* service : {"fixed", "exponential", "bimodal(0.9,1,10)", "lognormal(2)"}) {
    const Repeated trials(2, {{"service", service}, {"discipline", "ps"}}, "", 500);
    for (const Trial& trial : trials.all()) EXPECT_LT(trial.little_error, 1e-6);
    expect_near(trials.mean_ms(), 2.0, 0.01, service);
  }
}

TEST(Oracle, SplitAtRandomIsAnMM1PerServer) {
  const Repeated trials(
      1, {{"service", "exponential"}, {"servers", "4"}, {"discipline", "random_split"}}, "", 2000);
  expect_near(trials.mean_ms(), 2.0, 0.01, "mean");
  expect_near(trials.p99_ms(), std::log(100) / 0.5, 0.03, "p99");
}

TEST(Oracle, ShedsWhatErlangBSaysWhateverTheServiceDistribution) {
  // Offered load 3 on 4 servers without a queue.
  for (const char* service : {"fixed", "exponential", "bimodal(0.9,1,10)"}) {
    const Repeated trials(1, {{"service", service}, {"servers", "4"}, {"queue", "4"}}, "", 3000);
    const Trial& trial = trials.all().front();
    EXPECT_NEAR(trial.loss(), testing::erlang_b(4, 3), 0.002 * kRoom) << service;
    EXPECT_EQ(trial.counts.sent, trial.counts.completed + trial.counts.shed);
  }
}

TEST(Oracle, ShedsWhatMM1KSays) {
  for (const double rho : {0.6, 0.8, 1.5}) {
    const Repeated trials(1, {{"service", "exponential"}, {"queue", "5"}}, "", 1000 * rho);
    EXPECT_NEAR(trials.all().front().loss(), (1 - rho) * std::pow(rho, 5) / (1 - std::pow(rho, 6)),
                0.002 * kRoom)
        << rho;
  }
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
    EXPECT_NEAR(trial.goodput_per_s, 4000, 40) << discipline;
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
