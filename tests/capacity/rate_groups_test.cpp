#include "harness/capacity/rate_groups.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "harness/capacity/point.hpp"

namespace precipice {
namespace {

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
