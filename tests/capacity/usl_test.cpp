#include "harness/capacity/usl.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/store/cell_json.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

const std::vector<double> kSweep = {1, 2, 4, 8, 16, 32, 64, 128};

double law(double n, double lambda, double sigma, double kappa) {
  return lambda * n / (1 + sigma * (n - 1) + kappa * n * (n - 1));
}

std::vector<UslPoint> exact(const std::vector<double>& sweep, double lambda, double sigma,
                            double kappa) {
  std::vector<UslPoint> points;
  for (const double n : sweep)
    points.push_back({.in_flight = n, .throughput_per_s = law(n, lambda, sigma, kappa)});
  return points;
}

double normal(Random& random) {
  return std::sqrt(-2 * std::log(random.uniform_positive())) *
         std::cos(2 * std::numbers::pi * random.uniform());
}

/// Every block sweeps all of `sweep`; a block errs as a whole, each point besides.
std::vector<UslPoint> noisy(const std::vector<double>& sweep, double lambda, double sigma,
                            double kappa, int blocks, double block_noise, double noise,
                            std::uint64_t seed) {
  Random random(seed);
  std::vector<UslPoint> points;
  for (int block = 0; block < blocks; ++block) {
    const double shift = block_noise * normal(random);
    for (const double n : sweep) {
      points.push_back({.in_flight = n,
                        .throughput_per_s =
                            law(n, lambda, sigma, kappa) * std::exp(shift + noise * normal(random)),
                        .weight = 1,
                        .block = block});
    }
  }
  return points;
}

bool holds(const Estimate& estimate, double truth) {
  return estimate.low <= truth && truth <= estimate.high;
}

TEST(Usl, FindsTheLawInExactPoints) {
  const UslFit fit = fit_usl(exact(kSweep, 1000, 0.05, 4e-4));
  EXPECT_NEAR(fit.lambda_per_s.value, 1000, 1e-6);
  EXPECT_NEAR(fit.sigma.value, 0.05, 1e-9);
  EXPECT_NEAR(fit.kappa.value, 4e-4, 1e-11);
  EXPECT_EQ(fit.peak_n.reached, Reached::ok);
  EXPECT_NEAR(fit.peak_n.value, std::sqrt(0.95 / 4e-4), 1e-4);
  EXPECT_NEAR(fit.peak_per_s.value, law(std::sqrt(0.95 / 4e-4), 1000, 0.05, 4e-4), 1e-4);
  EXPECT_LT(fit.relative_rms, 1e-9);
}

TEST(Usl, NeedsNoPointAtOneInFlight) {
  const UslFit fit = fit_usl(exact({64, 128, 256, 512, 1024, 2048}, 50, 1e-3, 1e-6));
  EXPECT_NEAR(fit.lambda_per_s.value, 50, 1e-6);
  EXPECT_NEAR(fit.sigma.value, 1e-3, 1e-9);
  EXPECT_NEAR(fit.kappa.value, 1e-6, 1e-12);
}

TEST(Usl, SaysThatALinearModelHasNoPeakYet) {
  const UslFit fit = fit_usl(exact(kSweep, 1000, 0, 0));
  EXPECT_NEAR(fit.sigma.value, 0, 1e-9);
  EXPECT_NEAR(fit.kappa.value, 0, 1e-12);
  EXPECT_EQ(fit.peak_n.reached, Reached::above);
  EXPECT_EQ(fit.peak_n.value, 128);
  EXPECT_EQ(fit.peak_per_s.reached, Reached::above);
  EXPECT_NEAR(fit.peak_per_s.value, 128'000, 1e-3);
}

TEST(Usl, SeesOneServerAsFullContention) {
  // A closed loop on one server without think time: throughput is 1 / S at every N.
  const UslFit flat = fit_usl(exact(kSweep, 1000, 1, 0));
  EXPECT_NEAR(flat.sigma.value, 1, 1e-9);
  EXPECT_NEAR(flat.kappa.value, 0, 1e-12);
  EXPECT_EQ(flat.peak_n.reached, Reached::above);
  // The interactive response time law's machine repairman: think time Z = 9 S, exponential, exact
  // mean value analysis (Reiser and Lavenberg 1980). It saturates at 1 / S from N = 10 on.
  std::vector<UslPoint> points;
  double queue = 0;
  for (int n = 1; n <= 128; ++n) {
    const double response = 1e-3 * (1 + queue);
    const double throughput = n / (9e-3 + response);
    queue = throughput * response;
    if ((n & (n - 1)) == 0)
      points.push_back({.in_flight = 1.0 * n, .throughput_per_s = throughput});
  }
  const UslFit bent = fit_usl(points);
  EXPECT_NEAR(bent.lambda_per_s.value, 100, 15);
  EXPECT_GT(bent.sigma.value, 0.03);
  EXPECT_LT(bent.sigma.value, 0.13);
  EXPECT_EQ(bent.peak_n.reached, Reached::above);
  EXPECT_LT(bent.relative_rms, 0.1);
}

TEST(Usl, FallsFromTheFirstPointOnWhereAgreementIsAllThereIs) {
  const UslFit fit = fit_usl(exact(kSweep, 1000, 1, 0.1));
  EXPECT_EQ(fit.peak_n.reached, Reached::below);
  EXPECT_EQ(fit.peak_n.value, 1);
  EXPECT_NEAR(fit.peak_per_s.value, 1000, 1e-6);
}

TEST(Usl, NeverPublishesANegativeShare) {
  // Throughput that grows faster than N: no law of contention, so none is made up.
  std::vector<UslPoint> points;
  for (const double n : kSweep)
    points.push_back({.in_flight = n, .throughput_per_s = 1000 * std::pow(n, 1.2)});
  const UslFit fit = fit_usl(points);
  EXPECT_EQ(fit.sigma.value, 0);
  EXPECT_EQ(fit.kappa.value, 0);
  EXPECT_GE(fit.sigma.low, 0);
  EXPECT_GE(fit.kappa.low, 0);
  EXPECT_GT(fit.relative_rms, 0.1) << "and it says that it does not fit";
}

TEST(Usl, RefusesASweepOfThreeNumbers) {
  std::vector<UslPoint> points = exact({1, 2, 4}, 1000, 0.1, 0);
  points.push_back(points.back());
  points.back().block = 1;
  const UslFit fit = fit_usl(points);
  EXPECT_FALSE(fit.fitted());
  EXPECT_EQ(fit.distinct_n, 3);
  EXPECT_EQ(fit.sigma.reached, Reached::unmeasured);
  EXPECT_FALSE(fit.note.empty());
}

TEST(Usl, LeavesOutWhatIsNoThroughput) {
  std::vector<UslPoint> points = exact(kSweep, 1000, 0.05, 4e-4);
  points.push_back({.in_flight = 256, .throughput_per_s = 0});
  points.push_back({.in_flight = 512, .throughput_per_s = std::nan("")});
  points.push_back({.in_flight = 0, .throughput_per_s = 1});
  points.push_back({.in_flight = 16, .throughput_per_s = 1, .weight = 0});
  EXPECT_NEAR(fit_usl(points).sigma.value, 0.05, 1e-9);
}

TEST(Usl, CountsANumberMeasuredInEveryBlockOnce) {
  std::vector<UslPoint> points = exact(kSweep, 1000, 0.05, 4e-4);
  points[6].throughput_per_s *= 1.1;
  const double once = fit_usl(points).sigma.value;
  for (int block = 1; block < 9; ++block) {
    points.push_back(points[6]);
    points.back().block = block;
  }
  EXPECT_NEAR(fit_usl(points).sigma.value, once, 1e-12);
}

struct Coverage {
  double lambda = 0, sigma = 0, kappa = 0, peak_n = 0, peak = 0, shown = 0;
};

Coverage coverage(const std::vector<double>& sweep, double sigma, double kappa, int blocks,
                  double block_noise) {
  constexpr int kTimes = 400;
  const double peak_n = kappa > 0 ? std::sqrt((1 - sigma) / kappa) : 0;
  Coverage share;
  for (int i = 0; i < kTimes; ++i) {
    const UslFit fit = fit_usl(noisy(sweep, 1000, sigma, kappa, blocks, block_noise, 0.02,
                                     mix64(static_cast<std::uint64_t>(i) + 1)),
                               {.bootstrap = 300, .seed = 7});
    share.lambda += holds(fit.lambda_per_s, 1000) / double{kTimes};
    share.sigma += holds(fit.sigma, sigma) / double{kTimes};
    share.kappa += holds(fit.kappa, kappa) / double{kTimes};
    if (fit.peak_n.reached != Reached::ok) continue;
    share.shown += 1 / double{kTimes};
    share.peak_n += holds(fit.peak_n, peak_n) / double{kTimes};
    share.peak += holds(fit.peak_per_s, law(peak_n, 1000, sigma, kappa)) / double{kTimes};
  }
  return share;
}

// 400 fixed seeds: the standard error of a coverage of 95% is 1.1%.
TEST(Usl, IntervalsOfOneSweepCoverTheTruth) {
  const Coverage share = coverage(kSweep, 0.05, 4e-4, 1, 0);
  for (const double each : {share.lambda, share.sigma, share.kappa, share.peak_n, share.peak}) {
    EXPECT_GE(each, 0.92);
    EXPECT_LE(each, 0.985);
  }
  EXPECT_NEAR(share.shown, 1, 1e-9);
}

TEST(Usl, IntervalsOverBlocksHoldWhatBlocksShare) {
  // A block errs by 5% as a whole, which one sweep cannot see in itself.
  const Coverage share = coverage(kSweep, 0.05, 4e-4, 5, 0.05);
  for (const double each : {share.lambda, share.sigma, share.kappa, share.peak_n, share.peak}) {
    EXPECT_GE(each, 0.92);
    EXPECT_LE(each, 0.99);
  }
}

TEST(Usl, NoiseShowsNoPeakWhereThereIsNone) {
  const Coverage share = coverage(kSweep, 0.05, 0, 1, 0);
  EXPECT_GE(share.kappa, 0.92);
  EXPECT_LE(share.shown, 0.025);
}

TEST(Usl, TakesTheClosedLoopTrialsOfACellThatCount) {
  std::vector<Point> evidence(5);
  for (Point& point : evidence) {
    point.closed = 8;
    point.goodput_per_s = 500;
    point.valid = true;
  }
  evidence[1].closed = 0;     // open loop
  evidence[2].valid = false;  // a stall, say
  evidence[3].loss = 0.5;     // half of it was shed
  evidence[4].goodput_per_s = 0;
  const std::vector<UslPoint> sweep = closed_loop_sweep(evidence);
  ASSERT_EQ(sweep.size(), 1u);
  EXPECT_EQ(sweep[0].in_flight, 8);
  EXPECT_EQ(sweep[0].throughput_per_s, 500);
}

TEST(Usl, IsWrittenAsEstimates) {
  const nlohmann::ordered_json json = to_json(fit_usl(exact(kSweep, 1000, 0.1, 0)));
  EXPECT_NEAR(json.at("sigma").at("value").get<double>(), 0.1, 1e-9);
  EXPECT_EQ(json.at("peak_n").at("reached"), "above");
  EXPECT_TRUE(json.at("peak_n").at("high").is_null());
  EXPECT_EQ(json.at("distinct_n"), 8);
}

}  // namespace
}  // namespace precipice
