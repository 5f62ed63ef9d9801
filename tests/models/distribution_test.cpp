#include "models/distribution.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "models/options.hpp"

namespace precipice {
namespace {

TEST(Distribution, HasMeanOneAndItsVariance) {
  for (const char* text : {"fixed", "exponential", "lognormal(0.5)", "lognormal(2)",
                           "bimodal(0.9,1,10)", "bimodal(0.5, 100us, 1ms)", "pareto(4)",
                           "stragglers(0.4,0.05,10)", "stragglers(1,0.5,1)"}) {
    const Distribution distribution = Distribution::parse(text, "test");
    Random random(17);
    double sum = 0, squares = 0;
    constexpr int kDraws = 400'000;
    for (int i = 0; i < kDraws; ++i) {
      const double x = distribution.unit(random);
      ASSERT_GE(x, 0);
      sum += x;
      squares += x * x;
    }
    EXPECT_NEAR(sum / kDraws, 1, 0.012) << text;
    const double variance = squares / kDraws - 1;
    EXPECT_NEAR(variance, distribution.scv(), 0.02 + 0.15 * distribution.scv()) << text;
  }
}

TEST(Distribution, HasTheQuantilesOfItsDraws) {
  for (const char* text : {"exponential", "lognormal(0.5)", "pareto(2.5)",
                           "stragglers(0.4,0.05,10)", "stragglers(0.4,0.5,3)"}) {
    const Distribution distribution = Distribution::parse(text, "test");
    for (const double p : {0.02, 0.5, 0.94, 0.99}) {
      const double bound = distribution.quantile(p);
      Random random(5);
      int below = 0;
      constexpr int kDraws = 200'000;
      for (int i = 0; i < kDraws; ++i) below += distribution.unit(random) <= bound ? 1 : 0;
      // Four standard deviations of the count.
      EXPECT_NEAR(below / static_cast<double>(kDraws), p, 4 * std::sqrt(p * (1 - p) / kDraws))
          << text << " " << p;
    }
  }
}

TEST(Distribution, OfStragglersIsLognormalWhereTheyAreNoLonger) {
  const Distribution plain = Distribution::parse("lognormal(0.7)", "test");
  const Distribution mixed = Distribution::parse("stragglers(0.7,0.2,1)", "test");
  EXPECT_NEAR(mixed.scv(), plain.scv(), 1e-9);
  for (const double p : {0.001, 0.3, 0.999})
    EXPECT_NEAR(mixed.quantile(p), plain.quantile(p), 1e-9) << p;
}

TEST(Distribution, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", "fix", "fixed(1)", "exponential(", "lognormal", "lognormal(0)", "bimodal(1,2,3)",
        "bimodal(0.5,3,2)", "bimodal(0.5,1ms,2)", "bimodal(0.5,1)", "pareto(1)", "pareto(x)",
        "stragglers(0.4,0.05)", "stragglers(0,0.05,10)", "stragglers(0.4,1,10)",
        "stragglers(0.4,0.05,0.5)"}) {
    EXPECT_THROW(Distribution::parse(text, "test"), UsageError) << text;
  }
}

}  // namespace
}  // namespace precipice
