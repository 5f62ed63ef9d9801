#include "harness/stats/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/random.hpp"

namespace precipice {
namespace {

TEST(Statistics, IsotonicRegressionPoolsViolators) {
  const std::vector<double> values = {1, 3, 2, 4, 0};
  const std::vector<double> weights = {1, 1, 1, 1, 2};
  const std::vector<double> fitted = isotonic(values, weights);
  const std::vector<double> expected = {1, 1.8, 1.8, 1.8, 1.8};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(fitted[i], expected[i], 1e-12);
}

TEST(Statistics, FitsPolynomialsExactly) {
  const std::vector<double> x = {1e6, 1.1e6, 1.2e6, 1.4e6}, weights = {1, 2, 1, 3};
  std::vector<double> y;
  for (const double each : x) y.push_back(3 - 2e-6 * each + 5e-12 * each * each);
  const std::vector<double> fit = polynomial_fit(x, y, weights, 2);
  EXPECT_NEAR(fit[0], 3, 1e-7);
  EXPECT_NEAR(fit[1], -2e-6, 1e-13);
  EXPECT_NEAR(fit[2], 5e-12, 1e-19);
}

TEST(Statistics, ATrendSeesGrowthAndForgivesNoise) {
  Random random(5);
  std::vector<double> x, flat, growing;
  for (int i = 0; i < 60; ++i) {
    x.push_back(i);
    flat.push_back(random.uniform());
    growing.push_back(random.uniform() + 0.2 * i);
  }
  flat[30] = 1000;  // an outlier does not tilt a median of slopes
  EXPECT_NEAR(trend(x, growing, 0, 100, 1).slope, 0.2, 0.02);
  EXPECT_GT(trend(x, growing, 0, 100, 1).low, 0.15);
  EXPECT_NEAR(trend(x, flat, 0, 100, 1).slope, 0, 0.01);
  EXPECT_LE(trend(x, flat, 0, 100, 1).low, 0);
}

TEST(Statistics, MediansQuantilesAndDeviations) {
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_NEAR(student_t(0.975, 8), 2.306, 0.001);
  const std::vector<double> values = {1, 2, 3, 4};
  EXPECT_NEAR(standard_deviation(values), std::sqrt(5.0 / 3), 1e-12);
}

}  // namespace
}  // namespace precipice
