// Queues in a row on the virtual clock, against closed forms.
#include "harness/trial/virtual_stages.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

#include "harness/capacity/windows.hpp"
#include "harness/trial/spec.hpp"
#include "tests/support/simulated_policy.hpp"

namespace precipice {
namespace {

using precipice::testing::expect_near;
using precipice::testing::Keys;
using precipice::testing::kMs;
using precipice::testing::kRequests;
using precipice::testing::Repeated;
using precipice::testing::request_of;

Trial staged(Keys oracle, double rate_per_s, double requests = 400'000) {
  const Trial trial = simulate_trial(request_of(oracle, "", rate_per_s, kRequests * requests));
  EXPECT_TRUE(trial.valid) << (trial.invalid_reasons.empty() ? ""
                                                             : trial.invalid_reasons.front().text);
  return trial;
}

/// P(T > t) of n exponential times of this rate in a row.
double erlang_tail(int n, double rate, double t) {
  double term = std::exp(-rate * t), sum = term;
  for (int k = 1; k < n; ++k) sum += term *= rate * t / k;
  return sum;
}

double erlang_percentile(int n, double rate, double beyond) {
  double low = 0, high = 100.0 * n / rate;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (erlang_tail(n, rate, middle) > beyond ? low : high) = middle;
  }
  return low;
}

TEST(Stages, OfExponentialServiceAreAnErlangSum) {
  // By Burke's theorem each stage is an M/M/1 of its own, and the times in a row are independent
  // (Reich 1957): five of rate m - L.
  for (const double rho : {0.3, 0.5, 0.8}) {
    const double rate_ms = 1 - rho;
    const Repeated five(rho > 0.7 ? 3 : 1, {{"stages", "5"}, {"service", "exponential"}}, "",
                        1000 * rho);
    const std::string what = "load " + std::to_string(rho);
    expect_near(five.mean_ms(), 5 / rate_ms, 0.01, what + " mean");
    expect_near(five.p99_ms(), erlang_percentile(5, rate_ms, 0.01), 0.03, what + " p99");
  }
  // The tail of the sum grows less than the mean: 2.52 times that of one.
  EXPECT_NEAR(erlang_percentile(5, 1, 0.01) / erlang_percentile(1, 1, 0.01), 2.52, 0.01);
}

TEST(Stages, OfSeveralServersCarryWhatOneStageCarries) {
  const Keys keys = {{"stages", "5"}, {"servers", "3"}, {"service", "fixed"}, {"mean", "1ms"}};
  TrialRequest request = request_of(keys, "", 0, 1);
  request.closed = 60;
  request.window = std::chrono::seconds(20);
  const Trial trial = simulate_trial(request);
  EXPECT_NEAR(trial.goodput_per_s, 3000, 3);
}

TEST(Stages, ALoneRequestWaitsForEveryLinger) {
  struct Case {
    int stages, linger_ms;
  };
  for (const auto& [stages, linger_ms] : {Case{5, 50}, Case{3, 20}, Case{2, 5}}) {
    const Trial trial = staged({{"stages", std::to_string(stages)},
                                {"servers", "64"},
                                {"mean", "1ms"},
                                {"linger", std::to_string(linger_ms) + "ms"}},
                               0.01, 300);
    EXPECT_EQ(trial.response.p50, stages * (linger_ms + 1) * 1'000'000);
    EXPECT_EQ(trial.response.p90, stages * (linger_ms + 1) * 1'000'000);
  }
}

TEST(Stages, ALingerIsSharedByThoseThatCome) {
  // One buffer: the wait is T for the first, and T - t for one that comes t later. A batch has
  // 1 + L T members, and they wait T (1 + L T / 2) / (1 + L T) on average.
  for (const double rate : {50.0, 200.0, 1000.0}) {
    const Trial trial = staged({{"servers", "4096"}, {"mean", "1ms"}, {"linger", "10ms"}}, rate);
    const double joined = rate * 0.01;
    expect_near(trial.response.mean / kMs - 1, 10 * (1 + joined / 2) / (1 + joined), 0.01,
                "linger at " + std::to_string(rate));
  }
}

TEST(Stages, ATickCostsHalfOfItAtEachStage) {
  // The first tick is met at any moment of it. A later one is met a service after the tick before,
  // so it costs the step of the phases, 6.25, 18.75, 31.25 or 43.75 ms, less that service.
  for (const auto& [service, later_ms] : {std::pair("1ms", 96.0), std::pair("5ms", 80.0)}) {
    const Trial trial =
        staged({{"stages", "5"}, {"servers", "4096"}, {"mean", service}, {"tick", "50ms"}}, 200);
    const double services_ms = service[0] == '1' ? 5 : 25;
    expect_near(trial.response.mean / kMs, 25 + later_ms + services_ms, 0.005, service);
    EXPECT_NEAR(25 + later_ms, 5 * 25, 25) << "half a tick at most from five halves";
  }
  // Over services that spread over the tick, the waits are halves of it.
  struct Case {
    int stages, tick_ms, service_ms;
  };
  for (const auto& [stages, tick_ms, service_ms] :
       {Case{5, 50, 20}, Case{5, 20, 10}, Case{3, 50, 30}}) {
    const Trial trial = staged({{"stages", std::to_string(stages)},
                                {"servers", "4096"},
                                {"mean", std::to_string(service_ms) + "ms"},
                                {"service", "exponential"},
                                {"tick", std::to_string(tick_ms) + "ms"}},
                               200);
    expect_near(trial.response.mean / kMs, stages * (tick_ms / 2.0 + service_ms), 0.01, "spread");
  }
}

TEST(Stages, ARequestPassesThemUnderAPolicyToo) {
  const Trial trial = simulate_trial(
      request_of({{"stages", "3"}, {"servers", "4096"}, {"fixed", "1ms"}, {"item", "100us"}},
                 "batch:size=4,linger=20ms", 2000, kRequests * 40'000));
  EXPECT_TRUE(trial.valid);
  // Three services of a batch of four, and the wait for the batch: 3 / (2 x 2000/s).
  expect_near(trial.response.mean / kMs, 3 * 1.4 + 0.75, 0.01, "batch");
}

TEST(Stages, AreCountedInTheServiceTime) {
  const Spec model = parse_model("oracle:stages=5,mean=2ms,tick=10ms");
  const Spec nothing = parse_workload("empty");
  EXPECT_EQ(nominal_service(model, nothing), std::chrono::milliseconds(35));
  EXPECT_EQ(nominal_service(parse_model("oracle:stages=5,mean=2ms,linger=10ms"), nothing),
            std::chrono::milliseconds(60));
}

TEST(Stages, AreRefusedWhereTheyDoNotExist) {
  const auto complaint = [](const Keys& keys) -> std::string {
    try {
      oracle_settings(keys);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(complaint({{"linger", "1ms"}, {"tick", "1ms"}}).find("either"), std::string::npos);
  EXPECT_NE(complaint({{"linger", "2m"}}).find("at most 1m"), std::string::npos);
  EXPECT_NE(complaint({{"stages", "2"}, {"discipline", "ps"}}).find("fcfs"), std::string::npos);
  EXPECT_EQ(complaint({{"stages", "2"}, {"servers", "2"}}), "");
  const ModelInfo& info = model_named("oracle");
  const auto model = info.make(Options("oracle", info.options, {{"stages", "2"}}));
  EXPECT_THROW(model->start({}), UsageError);
}

}  // namespace
}  // namespace precipice
