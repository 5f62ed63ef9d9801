#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/capacity/dispersion.hpp"

namespace precipice {
namespace {

/// At one rate, responses that come in bursts of so many.
RateGroup group_of(double rate, double responses, double burst) {
  constexpr double kDeviation = 1e5;
  GroupMember member;
  member.mean_ns = 1e6;
  member.responses = responses;
  member.scatter.deviation = kDeviation;
  member.scatter.of_batches = kDeviation * std::sqrt(burst / (responses / kBatches));
  member.stable = true;
  RateGroup group;
  group.rate_per_s = rate;
  group.members.push_back(member);
  return group;
}

TEST(BurstDeviation, IsTheUsualOneWhereNothingWasMeasured) {
  const BurstDeviation bursts({}, 1000, 99);
  // 3 u / (1 - u)^2 at half of saturation.
  EXPECT_NEAR(bursts.requests_a_burst(500), 6, 1e-9);
  EXPECT_NEAR(bursts.at(500, 60'000), 0.1, 1e-9);
  EXPECT_DOUBLE_EQ(bursts.requests_a_burst(10), 1);
}

TEST(BurstDeviation, ManyMeasuredBurstsSpeakForThemselves) {
  const BurstDeviation bursts({group_of(500, 2e6, 20)}, 1000, 99);
  EXPECT_NEAR(bursts.requests_a_burst(500), 20, 2.5);
  // They go with u / (1 - u)^2.
  EXPECT_NEAR(bursts.requests_a_burst(600) / bursts.requests_a_burst(500), 0.6 / 0.16 / 2, 1e-9);
}

TEST(BurstDeviation, FewMeasuredBurstsAreDrawnTowardsTheUsualLength) {
  const double few = BurstDeviation({group_of(500, 2000, 20)}, 1000, 99).requests_a_burst(500);
  EXPECT_GT(few, 6.2);
  EXPECT_LT(few, 9);
}

TEST(BurstDeviation, RatesFarFromTheOneAskedAboutDoNotCount) {
  const BurstDeviation bursts({group_of(500, 2e6, 20)}, 1000, 99);
  EXPECT_NEAR(bursts.requests_a_burst(800), 3 * 0.8 / 0.04, 1e-9);
}

}  // namespace
}  // namespace precipice
