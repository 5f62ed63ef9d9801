#include "workloads/draws.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>
#include <vector>

namespace precipice {
namespace {

constexpr const char* kShapes[] = {"fixed",
                                   "exponential",
                                   "lognormal(0.5)",
                                   "lognormal(3)",
                                   "bimodal(0.9,1,100)",
                                   "bimodal(0.5,1,10)",
                                   "bimodal(0.99,100us,10ms)",
                                   "pareto(1.5)",
                                   "pareto(2.5)",
                                   "stragglers(0.4,0.05,10)"};

TEST(Draws, HaveTheMeanNamedWhateverTheShape) {
  for (const char* shape : kShapes) {
    const Draws draws(Distribution::parse(shape, "test"), std::chrono::milliseconds(1), 7);
    double sum = 0;
    for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
      EXPECT_GE(draws.ns(seed), 0);
      sum += draws.ns(seed);
    }
    EXPECT_NEAR(sum / kTabulatedSeeds, 1e6, 1) << shape;
  }
}

TEST(Draws, KeepTheShape) {
  // The share of draws below a quantile, and how many seeds it may be off by for the rescaling.
  for (const char* shape : {"exponential", "lognormal(0.5)", "pareto(2.5)"}) {
    const Distribution distribution = Distribution::parse(shape, "test");
    const Draws draws(distribution, std::chrono::milliseconds(1), 7);
    for (const double p : {0.1, 0.5, 0.9, 0.99}) {
      const double bound = 1e6 * distribution.quantile(p);
      int below = 0;
      for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) below += draws.ns(seed) < bound;
      EXPECT_NEAR(below / 4096.0, p, 0.01) << shape << " at " << p;
    }
  }
  const Draws bimodal(Distribution::parse("bimodal(0.75,1,100)", "test"), Nanos(1000), 3);
  int low = 0;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) low += bimodal.ns(seed) < 1000;
  EXPECT_EQ(low, 3072);
}

TEST(Draws, FreeOnesReachBeyondTheSlices) {
  const Distribution shape = Distribution::parse("bimodal(0.99995,1,1000)", "test");
  Draws draws(shape, std::chrono::milliseconds(1), 7);
  // A mode of 1 in 20,000 is rarer than a slice of 1 in 4,096.
  const double rare_ns = 1e5;
  const auto rare = [&] {
    int count = 0;
    for (std::uint64_t id = 0; id < 1'000'000; ++id) {
      const Request request{.id = id, .seed = static_cast<std::uint32_t>(id % kTabulatedSeeds)};
      count += draws.ns_of(request) > 100 * rare_ns;
    }
    return count;
  };
  EXPECT_EQ(rare(), 0);
  draws.draw_freely(true);
  EXPECT_NEAR(rare(), 50, 5 * std::sqrt(50));
  // Each by its request, its attempt and its number, and by nothing else.
  const Draws exponential = [] {
    Draws made(Distribution::parse("exponential", "test"), std::chrono::milliseconds(1), 7);
    made.draw_freely(true);
    return made;
  }();
  const Request request{.id = 5, .seed = 3};
  const Request again{.id = 5, .seed = 3, .attempt = 1};
  EXPECT_EQ(exponential.ns_of(request), exponential.ns_of(request));
  EXPECT_NE(exponential.ns_of(request), exponential.ns_of(again));
  EXPECT_NE(exponential.ns_of(request), exponential.ns_of(request, 1));
  double sum = 0;
  for (std::uint64_t id = 0; id < 100'000; ++id) sum += exponential.ns_of({.id = id, .seed = 3});
  EXPECT_NEAR(sum / 100'000, 1e6, 0.02e6);
}

TEST(Draws, QuantilesAgreeWithTheDraws) {
  for (const char* shape : {"exponential", "lognormal(1)", "bimodal(0.3,1,5)", "pareto(3)"}) {
    const Distribution distribution = Distribution::parse(shape, "test");
    Random random(11);
    constexpr int kDraws = 200'000;
    std::vector<double> draws(kDraws);
    for (double& draw : draws) draw = distribution.unit(random);
    for (const double p : {0.05, 0.25, 0.6, 0.95}) {
      const double bound = distribution.quantile(p) * (1 + 1e-9);
      int below = 0;
      for (const double draw : draws) below += draw <= bound;
      const double reached = static_cast<double>(below) / kDraws;
      // A mode holds more than the probability asked for; a continuous shape just that.
      if (std::string_view(shape).starts_with("bimodal")) {
        EXPECT_GE(reached, p - 0.005) << shape;
      } else {
        EXPECT_NEAR(reached, p, 0.005) << shape << " at " << p;
      }
    }
  }
}

TEST(Draws, SaltsGiveIndependentOrders) {
  const std::vector<std::uint32_t> first = shuffled_ranks(1);
  const std::vector<std::uint32_t> second = shuffled_ranks(2);
  double covariance = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    covariance += (first[i] - 2047.5) * (second[i] - 2047.5);
  }
  const double variance = 4096.0 * (4096.0 * 4096.0 - 1) / 12;
  EXPECT_LT(std::abs(covariance / variance), 0.06);
  EXPECT_EQ(std::set<std::uint32_t>(first.begin(), first.end()).size(), kTabulatedSeeds);
}

}  // namespace
}  // namespace precipice
