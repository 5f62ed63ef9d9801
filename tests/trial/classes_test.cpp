// Classes of requests: who is of which, priorities against Cobham's closed form, and the sum that
// no order changes.
#include <gtest/gtest.h>

#include <vector>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/simulated_trial.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

TrialRequest request_of(const std::string& policies, double rate_per_s,
                        std::vector<double> shares) {
  TrialRequest request;
  request.model = {"oracle", {{"mean", "1ms"}, {"service", "exponential"}}};
  request.workload = {"empty", {}};
  if (!policies.empty()) request.policies = parse_policies(policies);
  request.rate_per_s = rate_per_s;
  request.window = Nanos(static_cast<std::int64_t>(1e9 * 1'000'000 / rate_per_s));
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
                trial.request.classes[i].share, 0.003);
    EXPECT_EQ(figures.loss(), 0);
    // Without a policy that looks at them they fare alike.
    EXPECT_NEAR(figures.response.mean / trial.response.mean, 1, 0.02);
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
    const Trial trial =
        simulate_trial(request_of("queue:running=1,order=priority", 1000 * each.rho, each.shares));
    double before = 0, conserved = 0;
    for (std::size_t k = 0; k < each.shares.size(); ++k) {
      const double after = before + each.rho * each.shares[k];
      const double wait_ms = each.rho / ((1 - after) * (1 - before));
      const double measured_ms = trial.classes[k].response.mean / 1e6 - 1;
      EXPECT_NEAR(measured_ms / wait_ms, 1, 0.05) << each.rho << " class " << k;
      conserved += each.rho * each.shares[k] * measured_ms;
      before = after;
    }
    EXPECT_NEAR(conserved / (each.rho * each.rho * 1 / (1 - each.rho)), 1, 0.03) << each.rho;
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
