#include "harness/burst_deviation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
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

TEST(RateGroups, CountWhatIsBeyondEachBound) {
  auto histogram = std::make_shared<Histogram>();
  histogram->record(1'000'000, 90);
  histogram->record(20'000'000, 10);
  std::vector<Point> points;
  for (int block = 0; block < 2; ++block) {
    Point point;
    point.block = block;
    point.rate_per_s = 100;
    point.requests = 100;
    point.stable = point.valid = true;
    point.slo_percentile_ns = 20e6;
    point.responses = histogram;
    points.push_back(point);
  }
  const RateGroups groups = RateGroups::gather(points, 99, {10e6, 5e6, 30e6});
  ASSERT_EQ(groups.open.size(), 1U);
  const auto merged = groups.open[0].merge({1, 2}, 99);
  ASSERT_TRUE(merged);
  EXPECT_DOUBLE_EQ(merged->responses, 300);
  EXPECT_EQ(merged->beyond, (PerBound{30, 30, 0}));
}

TEST(RateGroups, ATrialWithoutAHistogramHasAnExponentialTail) {
  Point point;
  point.rate_per_s = 100;
  point.requests = 10'000;
  point.stable = point.valid = true;
  point.slo_percentile_ns = 10e6;
  const RateGroups groups = RateGroups::gather({point}, 99, {10e6, 5e6, 20e6});
  const auto merged = groups.open.at(0).merge({1}, 99);
  ASSERT_TRUE(merged);
  EXPECT_NEAR(merged->beyond[0], 100, 1e-6);
  EXPECT_NEAR(merged->beyond[1], 1000, 1e-6);
  EXPECT_NEAR(merged->beyond[2], 1, 1e-6);
}

}  // namespace
}  // namespace precipice
