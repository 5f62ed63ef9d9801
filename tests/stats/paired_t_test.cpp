#include "harness/stats/paired_t.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/json.hpp"

namespace precipice {
namespace {

TEST(Paired, IntervalAndProbabilityAreStudents) {
  // Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t = 3.4641, 2 degrees of freedom.
  const PairedMean mean = paired_mean(std::vector{1.0, 2.0, 3.0}, 0);
  EXPECT_DOUBLE_EQ(mean.mean, 2);
  EXPECT_NEAR(mean.error, 0.57735, 1e-5);
  EXPECT_NEAR(p_different(mean), 0.074180, 1e-6);
  const auto [low, high] = interval(mean, 0.05);
  EXPECT_NEAR(low, 2 - 4.302653 * 0.57735, 1e-4);
  EXPECT_NEAR(high, 2 + 4.302653 * 0.57735, 1e-4);
  // The interval ends at a margin exactly where the test against it is at its level.
  const auto [at_low, at_high] = interval(mean, p_different(mean, 1.0));
  EXPECT_NEAR(at_low, 1.0, 1e-9);
  const auto [in_low, in_high] = interval(mean, p_equivalent(mean, 4.0));
  EXPECT_NEAR(in_high, 4.0, 1e-9);
}

TEST(Paired, OneBlockKnowsNothing) {
  const PairedMean mean = paired_mean(std::vector{0.5}, 0);
  EXPECT_EQ(p_different(mean), 1);
  EXPECT_TRUE(std::isinf(interval(mean, 0.05).second));
}

TEST(Paired, EqualBlocksStillHaveTheScatterOfCounting) {
  const PairedMean mean = paired_mean(std::vector{0.01, 0.01, 0.01}, 0.02);
  EXPECT_DOUBLE_EQ(mean.scatter, 0.02);
  EXPECT_GT(p_different(mean), 0.3);
}

TEST(Pooled, VariancesWeighByTheirDegreesOfFreedom) {
  PairedMean mean =
      paired_mean(std::vector{0.0, 0.03, 0.06}, 0);  // standard error 0.01732, 2 degrees
  const PairedMean both = pooled(mean, {0.01, 8});
  EXPECT_NEAR(both.error, std::sqrt((2 * 0.0003 + 8 * 0.0001) / 10), 1e-9);
  EXPECT_DOUBLE_EQ(both.degrees, 10);
  EXPECT_DOUBLE_EQ(both.mean, mean.mean);
  EXPECT_NEAR(interval(both, 0.05).second, 0.03 + 2.228139 * both.error, 1e-6);
}

TEST(Pooled, BlocksThatScatterMoreCountAlone) {
  const PairedMean mean = paired_mean(std::vector{0.0, 0.1, 0.2}, 0);
  // F is 0.00333 / variance; its 95% point for 2 and 8 degrees is 4.459.
  const double limit = std::sqrt(0.01 / 3 / 4.459);
  EXPECT_EQ(pooled(mean, {0.99 * limit, 8}).degrees, 2);
  EXPECT_EQ(pooled(mean, {0.99 * limit, 8}).error, mean.error);
  EXPECT_EQ(pooled(mean, {1.01 * limit, 8}).degrees, 10);
}

TEST(Pooled, WithoutBlocksWhatIsKnownCounts) {
  const PairedMean mean = pooled(paired_mean(std::vector{0.5}, 0), {0.1, 6});
  EXPECT_EQ(mean.degrees, 6);
  EXPECT_EQ(mean.error, 0.1);
  EXPECT_EQ(pooled(paired_mean(std::vector{1.0, 2.0}, 0), {}).degrees, 1);
}

TEST(Pooled, DegreesOfADifferenceAreWelchsAndSatterthwaites) {
  EXPECT_DOUBLE_EQ(combined({0.1, 4}, {0.1, 4}).degrees, 8);
  EXPECT_DOUBLE_EQ(combined({0.3, 4}, {0.4, 9}).value, 0.5);
  EXPECT_NEAR(combined({0.3, 4}, {0.4, 9}).degrees, 0.0625 / (0.0081 / 4 + 0.0256 / 9), 1e-9);
  EXPECT_NEAR(combined({1e-9, 2}, {0.1, 7}).degrees, 7, 1e-6);
  EXPECT_EQ(combined({0.1, 0}, {0.1, 7}).degrees, 0);
}

TEST(Holm, WorkedExample) {
  // Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, made ascending.
  const Holm result = holm(std::vector{0.01, 0.04, 0.03, 0.005});
  EXPECT_NEAR(result.adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(result.adjusted[1], 0.06, 1e-12);
  EXPECT_NEAR(result.adjusted[2], 0.06, 1e-12);
  EXPECT_NEAR(result.adjusted[3], 0.02, 1e-12);
  EXPECT_NEAR(result.alpha[3], 0.05 / 4, 1e-12);
  EXPECT_NEAR(result.alpha[0], 0.05 / 3, 1e-12);
  // 0.03 > 0.05 / 2 ends the descent, so 0.04 is held against the same level.
  EXPECT_NEAR(result.alpha[2], 0.05 / 2, 1e-12);
  EXPECT_NEAR(result.alpha[1], 0.05 / 2, 1e-12);
}

}  // namespace
}  // namespace precipice
