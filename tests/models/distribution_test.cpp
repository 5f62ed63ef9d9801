#include "models/distribution.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "models/options.hpp"

namespace precipice {
namespace {

TEST(Distribution, HasMeanOneAndItsVariance) {
  for (const char* text : {"fixed", "exponential", "lognormal(0.5)", "lognormal(2)",
                           "bimodal(0.9,1,10)", "bimodal(0.5, 100us, 1ms)", "pareto(4)"}) {
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

TEST(Distribution, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", "fix", "fixed(1)", "exponential(", "lognormal", "lognormal(0)", "bimodal(1,2,3)",
        "bimodal(0.5,3,2)", "bimodal(0.5,1ms,2)", "bimodal(0.5,1)", "pareto(1)", "pareto(x)"}) {
    EXPECT_THROW(Distribution::parse(text, "test"), UsageError) << text;
  }
}

}  // namespace
}  // namespace precipice
