// Solutions that are known exactly, unknowns held at 0, and equations that determine nothing.
#include "harness/stats/least_squares.hpp"

#include <gtest/gtest.h>

namespace precipice {
namespace {

TEST(LeastSquares, FindsThePlaneThatThePointsLieOnWhateverTheirWeightsAndScale) {
  LeastSquares equations({1, 1e6, 1e-3});
  for (int i = 0; i < 6; ++i) {
    const double x = 1e6 * i, y = 1e-3 * (i * i % 5);
    equations.add({1, x, y}, 3 + 2e-6 * x - 500 * y, 1 + i);
  }
  const auto solution = equations.solve(LeastSquares::kAll, 1e-12);
  ASSERT_TRUE(solution.has_value());
  EXPECT_NEAR((*solution)[0], 3, 1e-9);
  EXPECT_NEAR((*solution)[1], 2e-6, 1e-15);
  EXPECT_NEAR((*solution)[2], -500, 1e-7);
}

TEST(LeastSquares, UnknownsThatAreNotFreeStayAtZero) {
  LeastSquares equations;
  for (const double x : {1.0, 2.0, 4.0}) equations.add({1, x, x * x}, 3 * x, 1);
  const auto solution = equations.solve(0b010, 1e-12);
  ASSERT_TRUE(solution.has_value());
  EXPECT_EQ((*solution)[0], 0);
  EXPECT_NEAR((*solution)[1], 3, 1e-12);
  EXPECT_EQ((*solution)[2], 0);
}

TEST(LeastSquares, RefusesEquationsThatDetermineNothing) {
  LeastSquares equations;
  for (int i = 0; i < 5; ++i) equations.add({1, 2, 4}, 7, 1);
  EXPECT_FALSE(equations.solve(LeastSquares::kAll, 1e-9).has_value());
  EXPECT_TRUE(equations.solve(0b001, 1e-9).has_value());
}

}  // namespace
}  // namespace precipice
