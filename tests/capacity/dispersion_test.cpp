#include "harness/capacity/dispersion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

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

TEST(Dispersion, IsTheUsualOneWhereNothingWasMeasured) {
  const Dispersion bursts({}, 1000, 99);
  // 3 u / (1 - u)^2 at half of saturation.
  EXPECT_NEAR(bursts.index_of_dispersion(500), 6, 1e-9);
  EXPECT_NEAR(bursts.at(500, 60'000), 0.1, 1e-9);
  EXPECT_DOUBLE_EQ(bursts.index_of_dispersion(10), 1);
}

TEST(Dispersion, ManyMeasuredBurstsSpeakForThemselves) {
  const Dispersion bursts({group_of(500, 2e6, 20)}, 1000, 99);
  EXPECT_NEAR(bursts.index_of_dispersion(500), 20, 2.5);
  // They go with u / (1 - u)^2.
  EXPECT_NEAR(bursts.index_of_dispersion(600) / bursts.index_of_dispersion(500), 0.6 / 0.16 / 2,
              1e-9);
}

TEST(Dispersion, FewMeasuredBurstsAreDrawnTowardsTheUsualLength) {
  const double few = Dispersion({group_of(500, 2000, 20)}, 1000, 99).index_of_dispersion(500);
  EXPECT_GT(few, 6.2);
  EXPECT_LT(few, 9);
}

TEST(Dispersion, RatesFarFromTheOneAskedAboutDoNotCount) {
  const Dispersion bursts({group_of(500, 2e6, 20)}, 1000, 99);
  EXPECT_NEAR(bursts.index_of_dispersion(800), 3 * 0.8 / 0.04, 1e-9);
}

}  // namespace
}  // namespace precipice
