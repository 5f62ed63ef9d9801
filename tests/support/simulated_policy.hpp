// Trials of policies on the virtual clock, and how their figures are held against closed forms.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <string>

#include "harness/trial/policy_chain.hpp"
#include "harness/trial/simulated_trial.hpp"

namespace precipice::testing {

using Keys = std::map<std::string, std::string>;

inline constexpr double kMs = 1e6;

/// A sanitizer makes a simulation ten times as slow: there it has a tenth of the requests, and four
/// times the room for their scatter.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr double kRequests = 0.1, kRoom = 4;
#else
inline constexpr double kRequests = 1, kRoom = 1;
#endif

inline TrialRequest request_of(const Keys& oracle, const std::string& policies, double rate_per_s,
                               double requests = 400'000) {
  TrialRequest request;
  request.model = {"oracle", oracle};
  request.workload = {"empty", {}};
  if (!policies.empty()) request.policies = parse_policies(policies);
  request.rate_per_s = rate_per_s;
  request.window = Nanos(static_cast<std::int64_t>(1e9 * requests / rate_per_s));
  request.warmup = std::chrono::seconds(1);
  request.drain = std::chrono::hours(1);
  request.seed = 7;
  request.arrivals = Arrivals::parse("poisson");
  request.clock = ClockKind::virtual_time;
  return request;
}

inline Trial run(const Keys& oracle, const std::string& policies, double rate_per_s,
                 double requests = 400'000) {
  const Trial trial =
      simulate_trial(request_of(oracle, policies, rate_per_s, kRequests * requests));
  EXPECT_TRUE(trial.valid) << (trial.invalid_reasons.empty() ? ""
                                                             : trial.invalid_reasons.front().text);
  EXPECT_EQ(trial.attempts->begun, trial.attempts->ended());
  return trial;
}

inline double stat(const Trial& trial, const std::string& name) {
  for (const auto& [known, value] : trial.model_stats) {
    if (known == name) return value;
  }
  ADD_FAILURE() << "no figure " << name;
  return std::nan("");
}

inline void expect_near(double value, double expected, double tolerance, const std::string& what) {
  EXPECT_NEAR(value / expected, 1, kRoom * tolerance)
      << what << ": " << value << ", not " << expected;
}

}  // namespace precipice::testing
