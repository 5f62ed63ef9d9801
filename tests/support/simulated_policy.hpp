// Trials of policies on the virtual clock, and how their figures are held against closed forms.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

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

/// A simulation that its own gates accept.
inline Trial accepted(const TrialRequest& request) {
  const Trial trial = simulate_trial(request);
  EXPECT_TRUE(trial.valid) << (trial.invalid_reasons.empty() ? ""
                                                             : trial.invalid_reasons.front().text);
  if (trial.attempts) {
    EXPECT_EQ(trial.attempts->begun, trial.attempts->ended());
  }
  return trial;
}

inline Trial run(const Keys& oracle, const std::string& policies, double rate_per_s,
                 double requests = 400'000) {
  return accepted(request_of(oracle, policies, rate_per_s, kRequests * requests));
}

/// A figure's mean over trials with different seeds, and the standard error of that mean; NaN of
/// one.
struct Average {
  double mean = 0, error = std::nan("");
};

/// Trials that differ in their seeds alone, which follow each other: where the scatter of one is
/// too large for a tolerance, their mean is held against it. A million requests each, as memory
/// has room for more of these but not for longer ones.
class Repeated {
 public:
  Repeated(int trials, TrialRequest request) {
    for (int i = 0; i < trials; ++i, ++request.seed) trials_.push_back(accepted(request));
  }
  Repeated(int trials, const Keys& oracle, const std::string& policies, double rate_per_s,
           double requests = 1'000'000)
      : Repeated(trials, request_of(oracle, policies, rate_per_s, kRequests * requests)) {}

  Average of(const std::function<double(const Trial&)>& figure) const {
    Average result;
    double squares = 0;
    for (const Trial& trial : trials_) result.mean += figure(trial);
    const auto count = static_cast<double>(trials_.size());
    result.mean /= count;
    for (const Trial& trial : trials_) squares += std::pow(figure(trial) - result.mean, 2);
    if (count > 1) result.error = std::sqrt(squares / (count - 1) / count);
    return result;
  }
  const std::vector<Trial>& all() const { return trials_; }
  Average mean_ms() const {
    return of([](const Trial& trial) { return trial.response.mean / kMs; });
  }
  Average p99_ms() const {
    return of([](const Trial& trial) { return static_cast<double>(trial.response.p99) / kMs; });
  }

 private:
  std::vector<Trial> trials_;
};

/// The share of requests that find all of `servers` busy where none waits, at an offered load in
/// Erlang (Erlang's loss formula).
inline double erlang_b(int servers, double load) {
  double blocked = 1;
  for (int k = 1; k <= servers; ++k) blocked = load * blocked / (k + load * blocked);
  return blocked;
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
/// The deviation and its standard error are in GoogleTest's report too (--gtest_output=json:FILE).
inline void expect_near(const Average& value, double expected, double tolerance,
                        const std::string& what) {
  ::testing::Test::RecordProperty(
      what + ", expected " + std::to_string(expected),
      fmt::format("{:+.3f}%, standard error {:.3f}%", 100 * (value.mean / expected - 1),
                  100 * value.error / expected));
  expect_near(value.mean, expected, tolerance,
              what + " (standard error " + std::to_string(value.error) + ")");
}

}  // namespace precipice::testing
