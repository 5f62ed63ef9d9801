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
