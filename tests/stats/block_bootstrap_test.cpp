#include "harness/stats/block_bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace precipice {
namespace {

TEST(BlockResamples, AreAllThatThereAreWithTheirProbabilities) {
  const std::vector<BlockResample> three = block_resamples(3, 1);
  EXPECT_EQ(three.size(), 10u);
  double total = 0;
  for (const BlockResample& each : three) {
    total += each.probability;
    if (each.times == std::vector<int>{1, 1, 1}) {
      EXPECT_NEAR(each.probability, 6.0 / 27, 1e-12);
    }
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_EQ(block_resamples(9, 1).size(), static_cast<std::size_t>(kDrawnResamples));
  EXPECT_TRUE(block_resamples(1, 1).empty());
  // The mean of three values resampled: its interval is Student's.
  std::vector<double> means;
  for (const BlockResample& each : three)
    means.push_back((each.times[0] * 1.0 + each.times[1] * 2.0 + each.times[2] * 3.0) / 3);
  EXPECT_NEAR(half_interval(means, three, 3), 4.3027 / std::sqrt(3), 1e-3);
}

}  // namespace
}  // namespace precipice
