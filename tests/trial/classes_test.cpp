// Classes of requests: who is of which, priorities against Cobham's closed form, and the sum that
// no order changes.
#include <gtest/gtest.h>

#include <vector>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "tests/support/simulated_policy.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;
using precipice::testing::Average;
using precipice::testing::expect_near;
using precipice::testing::kRequests;
using precipice::testing::kRoom;
using precipice::testing::Repeated;

TrialRequest request_of(const std::string& policies, double rate_per_s,
                        std::vector<double> shares) {
  TrialRequest request;
  request.model = {"oracle", {{"mean", "1ms"}, {"service", "exponential"}}};
  request.workload = {"empty", {}};
  if (!policies.empty()) request.policies = parse_policies(policies);
  request.rate_per_s = rate_per_s;
  request.window = Nanos(static_cast<std::int64_t>(1e9 * kRequests * 1'000'000 / rate_per_s));
  request.warmup = 1s;
  request.drain = 60s;
  request.seed = 3;
  request.clock = ClockKind::virtual_time;
  for (std::size_t i = 0; i < shares.size(); ++i)
    request.classes.push_back({.name = "class" + std::to_string(i), .share = shares[i]});
  return request;
}

TEST(Classes, HaveTheirShareOfTheRequestsAndNoneIsLost) {
  const Trial trial = simulate_trial(request_of("", 500, {0.2, 0.5, 0.3}));
  ASSERT_EQ(trial.classes.size(), 3U);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const ClassFigures& figures = trial.classes[i];
    all += figures.requests;
    EXPECT_NEAR(static_cast<double>(figures.requests) / static_cast<double>(trial.counts.sent),
                trial.request.classes[i].share, 0.003 * kRoom);
    EXPECT_EQ(figures.loss(), 0);
    // Without a policy that looks at them they fare alike.
    expect_near(figures.response.mean, trial.response.mean, 0.01, figures.name);
  }
  EXPECT_EQ(all, trial.counts.sent);
  EXPECT_FALSE(trial.attempts.has_value());
}

TEST(Classes, WaitByTheirPriorityAsCobhamHasIt) {
  // W_k = W0 / ((1 - s_k)(1 - s_(k-1))), s_k the load of classes 0 to k, W0 = rho S for exponential
  // service; and the sum of rho_k W_k is that of the order of arrival.
  struct Case {
    double rho;
    std::vector<double> shares;
  };
  for (const Case& each :
       {Case{0.8, {0.9, 0.1}}, Case{0.6, {0.3, 0.7}}, Case{0.7, {0.2, 0.3, 0.5}}}) {
    // The wait of the tenth that others overtake scatters by 1.3% in a million requests at 0.8.
    const Repeated trials(
        each.rho > 0.75   ? 9
        : each.rho > 0.65 ? 3
                          : 1,
        request_of("queue:running=1,order=priority", 1000 * each.rho, each.shares));
    double before = 0, conserved = 0;
    for (std::size_t k = 0; k < each.shares.size(); ++k) {
      const double after = before + each.rho * each.shares[k];
      const double wait_ms = each.rho / ((1 - after) * (1 - before));
      const Average measured_ms =
          trials.of([&](const Trial& trial) { return trial.classes[k].response.mean / 1e6 - 1; });
      expect_near(measured_ms, wait_ms, 0.01,
                  "class " + std::to_string(k) + " at " + std::to_string(each.rho));
      conserved += each.rho * each.shares[k] * measured_ms.mean;
      before = after;
    }
    expect_near(conserved, each.rho * each.rho * 1 / (1 - each.rho), 0.01,
                "the sum at " + std::to_string(each.rho));
  }
}

TEST(Choose, KeepsAFastPathBesideABatch) {
  // The first class passes, at fixed + item; the second gathers for 5 ms or 8 requests.
  TrialRequest request =
      request_of("choose:by=class,second=(batch:size=8,linger=5ms)", 1000, {0.5, 0.5});
  request.model.given = {{"servers", "4096"}, {"fixed", "1ms"}, {"item", "100us"}};
  request.window = 100s;
  const Trial trial = simulate_trial(request);
  EXPECT_EQ(trial.counts.completed, trial.counts.sent);
  EXPECT_EQ(trial.classes[0].response.max, 1'100'000);
  EXPECT_GT(trial.classes[1].response.mean, 2'000'000);
  EXPECT_LT(trial.batch->mean, 8);
  EXPECT_GT(trial.batch->mean, 2);
}

TEST(Choose, GivesEachOfThreeClassesItsOwnChain) {
  // Alone at 1.1 ms; in pairs, of which the first waits; by fours.
  TrialRequest request = request_of(
      "choose:by=class,second=(choose:by=class,classes=2,first=(batch:size=2,linger=1s),"
      "second=(batch:size=4,linger=1s))",
      900, {0.3, 0.3, 0.4});
  request.model.given = {{"servers", "4096"}, {"fixed", "1ms"}, {"item", "100us"}};
  request.window = 100s;
  const Trial trial = simulate_trial(request);
  EXPECT_EQ(trial.counts.completed, trial.counts.sent);
  EXPECT_EQ(trial.classes[0].response.max, 1'100'000);
  // The mean wait of a batch of b is (b - 1) / (2 L), L the rate of its class.
  expect_near(trial.classes[1].response.mean / 1e6, 1.2 + 1000.0 / (2 * 270), 0.01, "pairs");
  expect_near(trial.classes[2].response.mean / 1e6, 1.4 + 3000.0 / (2 * 360), 0.01, "fours");
}

TEST(Choose, KnowsToWhichChoiceClassesBelong) {
  const auto complaint = [](const std::string& policies) -> std::string {
    try {
      simulate_trial(request_of(policies, 100, {0.5, 0.5}));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(complaint("choose:by=stress,up=2,down=1,classes=2").find("by=class"),
            std::string::npos);
  EXPECT_NE(complaint("choose:by=replica,replicas=2,classes=2").find("by=class"),
            std::string::npos);
  // The request that comes is under way, so none are never seen.
  EXPECT_NE(complaint("choose:by=stress,up=2,down=0").find("down"), std::string::npos);
}

TEST(Choose, ChangesOnceForAnOverloadThatLasts) {
  // 1.5 times the capacity from the second second on: `second` takes over when 50 are under way and
  // stays, and with twice the servers' speed per request (a batch) it drains what has gathered.
  TrialRequest request = request_of(
      "choose:by=stress,up=50,down=5,second=(batch:size=16,linger=2ms,running=1)", 600, {});
  request.model.given = {{"fixed", "900us"}, {"item", "100us"}};
  request.window = 20s;
  request.trigger = Trigger::parse("step 2.5x for 8s at 2s");
  request.slo = 100ms;
  const Trial trial = simulate_trial(request);
  EXPECT_EQ(trial.counts.completed, trial.counts.sent);
  double switches = -1;
  for (const auto& [name, value] : trial.model_stats) {
    if (name == "switches") switches = value;
  }
  EXPECT_GE(switches, 2);  // there and back
  EXPECT_LE(switches, 100);
  ASSERT_TRUE(trial.timeline->recovered_after_s.has_value());
  EXPECT_LT(*trial.timeline->recovered_after_s, 10);
}

/// Fixed arrivals and services, so that the fluid approximation is exact but for single requests:
/// 600/s for three seconds, then `load` for ever. One request after the other 1000/s are served, in
/// batches of 16 6400/s.
Trial breaker(double load, int down, Nanos window) {
  TrialRequest request = request_of("choose:by=stress,up=500,down=" + std::to_string(down) +
                                        ",second=(batch:size=16,linger=20ms,running=1)",
                                    600, {});
  request.model.given = {{"fixed", "900us"}, {"item", "100us"}};
  request.arrivals = Arrivals::parse("fixed");
  request.window = window;
  request.trigger = Trigger::parse("step " + std::to_string(load / 600) + "x at 2s");
  return simulate_trial(request);
}

TEST(Choose, ChangesWhenTheWaitHasGrownToItsThreshold) {
  // Up to 500 under way, a wait of theta = 500 / C1, at L2 - C1: t* = theta C1 / (L2 - C1).
  for (const double load : {1200.0, 1500.0, 1800.0}) {
    const Trial trial = breaker(load, 2, 10s);
    EXPECT_EQ(testing::stat(trial, "switches"), 1) << "no flapping at a constant load";
    const double before = testing::stat(trial, "first") - 3 * 600;
    expect_near(before / load, 500 / (load - 1000), 0.01, "t* at " + std::to_string(load));
    expect_near(static_cast<double>(trial.response.max) / 1e6, 500, 0.01, "the longest wait");
  }
}

TEST(Choose, DrainsBehindThoseThatItFound) {
  // Where `down` is more than the batches hold in the steady state it changes back and forth. Those
  // that were waiting when the mode changed keep theirs: L2 / C1 of their number gather behind the
  // single ones before batches drain at C2 - L2, and the last batches take C1 / C2 of the time that
  // as many single ones would.
  constexpr double kUp = 500, kDown = 100, kC1 = 1000, kC2 = 6400;
  for (const double load : {1200.0, 1500.0, 1800.0}) {
    const Nanos window = 300s;
    const Trial trial = breaker(load, static_cast<int>(kDown), window);
    const double cycle_s = (kUp - kDown * kC1 / kC2) / (load - kC1) + kUp / kC1 +
                           (kUp * load / kC1 - kDown) / (kC2 - load);
    expect_near(testing::stat(trial, "switches") / 2, (seconds(window) - 2) / cycle_s, 0.01,
                "cycles at " + std::to_string(load));
  }
}

TEST(Classes, KeepTheirPriorityInABatch) {
  TrialRequest request =
      request_of("batch:size=2,linger=1ms|queue:running=1,order=priority", 700, {0.1, 0.9});
  request.window = 30s;
  const Trial trial = simulate_trial(request);
  EXPECT_TRUE(trial.valid);
  EXPECT_EQ(trial.counts.completed, trial.counts.sent);
}

}  // namespace
}  // namespace precipice
