#include "harness/stats/poisson_regression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "models/random.hpp"

namespace precipice {
namespace {

std::vector<CountedPoint> exact(double level, double slope, double exposure = 1000) {
  std::vector<CountedPoint> points;
  for (const double x : {-0.4, -0.1, 0.0, 0.3})
    points.push_back(
        {.x = x, .exposure = exposure, .count = exposure * std::exp(level + slope * x)});
  return points;
}

/// Knuth's product of uniforms.
double poisson(double mean, Random& random) {
  double product = random.uniform_positive();
  int count = 0;
  for (const double end = std::exp(-mean); product > end; ++count)
    product *= random.uniform_positive();
  return count;
}

TEST(PoissonFit, FindsTheLineThatTheCountsLieOn) {
  const auto line = poisson_regression(exact(-4, 3));
  ASSERT_TRUE(line);
  EXPECT_NEAR(line->level, -4, 1e-6);
  EXPECT_NEAR(line->slope, 3, 1e-6);
  EXPECT_NEAR(poisson_misfit(exact(-4, 3), *line, 0), 0, 1e-9);
}

TEST(PoissonFit, SaysHowFarItIsFromTheTruth) {
  // What 2,000 draws scatter is what each of them says of itself, and the logarithm's mean is off
  // by less than twice a variance.
  Random random(3);
  double sum = 0, squares = 0, variance = 0;
  constexpr int kDraws = 2000;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<CountedPoint> points = exact(-4, 3, 2000);
    for (CountedPoint& point : points) point.count = poisson(point.count, random);
    const auto line = poisson_regression(points);
    ASSERT_TRUE(line);
    const double off = line->at(0.1) - (-4 + 3 * 0.1);
    sum += off;
    squares += off * off;
    variance += line->variance_at(0.1) / kDraws;
  }
  EXPECT_NEAR(squares / kDraws / variance, 1, 0.12);
  EXPECT_NEAR(sum / kDraws, 0, 2 * variance);
}

TEST(PoissonFit, OverdispersedCountsSayLess) {
  std::vector<CountedPoint> points = exact(-4, 3);
  const double alone = poisson_regression(points)->variance_at(0);
  for (CountedPoint& point : points) point.dispersion = 9;
  EXPECT_NEAR(poisson_regression(points)->variance_at(0) / alone, 9, 1e-6);
  // A point that is not asked at all changes nothing.
  points.push_back({.x = 0.2, .exposure = 1000, .count = 900, .weight = 0});
  EXPECT_NEAR(poisson_regression(points)->slope, 3, 1e-6);
}

TEST(PoissonFit, KeepsToItsPriorWhereNothingIsKnown) {
  // One place alone has no slope of its own.
  const std::vector<CountedPoint> one = {{.x = 0.1, .exposure = 1000, .count = 20}};
  EXPECT_FALSE(poisson_regression(one));
  const auto line = poisson_regression(one, {.mean = 4, .deviation = 1});
  ASSERT_TRUE(line);
  EXPECT_NEAR(line->slope, 4, 1e-6);
  EXPECT_NEAR(line->at(0.1), std::log(0.02), 1e-6);
  EXPECT_NEAR(line->variance_at(0.1), 1.0 / 20, 1e-6);
  // Away from the count the slope's own uncertainty counts, as Student's with four degrees: 5/4.
  EXPECT_NEAR(line->variance_at(1.1), 1.0 / 20 + 4.0 / 5, 1e-6);
}

TEST(PoissonFit, ManyCountsOutweighAPriorThatIsWrong) {
  const SlopePrior prior{.mean = 4, .deviation = 0.4};
  const double few = poisson_regression(exact(-3, 8, 20), prior)->slope;
  const double many = poisson_regression(exact(-3, 8, 200'000), prior)->slope;
  EXPECT_GT(few, 4);
  EXPECT_LT(few, 7);
  EXPECT_NEAR(many, 8, 0.1);
}

TEST(PoissonFit, NoCountIsNoLine) {
  std::vector<CountedPoint> points = exact(-4, 3);
  for (CountedPoint& point : points) point.count = 0;
  EXPECT_FALSE(poisson_regression(points));
  EXPECT_FALSE(poisson_regression(points, {.mean = 4, .deviation = 1}));
  EXPECT_FALSE(poisson_regression({}));
}

TEST(PoissonFit, AStepIsNoLine) {
  // Nothing for three places, then a third of all.
  std::vector<CountedPoint> points;
  for (const double x : {-0.3, -0.2, -0.1, 0.1, 0.2, 0.3})
    points.push_back({.x = x, .exposure = 1000, .count = x < 0 ? 0.0 : 330.0});
  const auto line = poisson_regression(points, {.mean = 4, .deviation = 0.8});
  ASSERT_TRUE(line);
  EXPECT_GT(poisson_misfit(points, *line, 0.2), 6);
}

}  // namespace
}  // namespace precipice
