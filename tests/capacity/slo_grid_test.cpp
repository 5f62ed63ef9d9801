#include "harness/capacity/slo_grid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "harness/capacity/cliff.hpp"
#include "harness/stats/histogram.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

constexpr double kMs = 1e6;

/// M/M/1 with S = 1 ms: the responses of a trial are exponential with the mean 1 ms / (1 - load).
std::vector<Point> mm1_blocks(int blocks, bool histograms = true) {
  Random random(7);
  std::vector<Point> points;
  for (int block = 0; block < blocks; ++block) {
    for (const double rate : {100, 250, 400, 480, 540, 600, 700, 800, 880, 940, 1200, 1500}) {
      Point point;
      point.block = block;
      point.rate_per_s = rate;
      point.requests = 20'000;
      point.valid = true;
      point.stable = rate < 1000;
      point.goodput_per_s = std::min(rate, 1000.0);
      point.mean_response_ns = point.stable ? kMs / (1 - rate / 1000) : 1e12;
      point.slo_percentile_ns = point.mean_response_ns * std::log(100.0);
      point.loss = point.stable ? 0 : 0.3;
      if (histograms) {
        Histogram responses;
        for (int i = 0; i < 20'000; ++i) {
          const double response = -std::log(random.uniform_positive()) * point.mean_response_ns;
          responses.record(static_cast<std::int64_t>(std::min(response, 1e12)));
        }
        point.slo_percentile_ns = static_cast<double>(responses.percentile(99));
        point.responses = std::make_shared<const Histogram>(responses.compacted());
      }
      points.push_back(point);
    }
  }
  return points;
}

CliffOptions options_for(double slo_ms = 10) {
  CliffOptions options;
  options.slo_ns = slo_ms * kMs;
  options.window_s = 10;  // no bound is too long for it
  options.service_time_ns = kMs;
  return options;
}

SloGrid grid_of(const std::vector<Point>& points, const CliffOptions& options) {
  return slo_grid(points, options, ordered_for_display(analyse(points, options)));
}

std::size_t place(const std::vector<double>& values, double value) {
  return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) - values.begin());
}

TEST(SloGrid, FollowsTheClosedFormOfMM1AtEveryPercentile) {
  const SloGrid grid = grid_of(mm1_blocks(5), options_for());
  ASSERT_EQ(grid.percentiles, (std::vector<double>{50, 90, 95, 99, 99.9}));
  int found = 0;
  for (std::size_t p = 0; p < grid.percentiles.size(); ++p) {
    ASSERT_EQ(grid.cliffs[p].size(), grid.bounds_ns.size());
    for (std::size_t b = 0; b < grid.bounds_ns.size(); ++b) {
      const Estimate& cliff = grid.cliffs[p][b];
      const double factor = std::log(100 / (100 - grid.percentiles[p]));
      const double truth = 1000 - 1000 * factor * kMs / grid.bounds_ns[b];
      // Outside of the rates that were measured it is censored.
      if (truth < 90) {
        EXPECT_EQ(cliff.reached, Reached::below) << grid.bounds_ns[b];
      }
      if (truth < 250 || truth > 900) continue;
      ++found;
      EXPECT_EQ(cliff.reached, Reached::ok);
      EXPECT_NEAR(cliff.value / truth, 1, 0.03)
          << "p" << grid.percentiles[p] << " <= " << grid.bounds_ns[b] << " ns";
      EXPECT_LE(cliff.low, cliff.value);
      EXPECT_GE(cliff.high, cliff.value);
    }
  }
  EXPECT_GT(found, 20);
}

TEST(SloGrid, SaysAtTheCellsOwnSloExactlyWhatTheSummarySays) {
  for (const double percentile : {99.0, 97.5}) {
    CliffOptions options = options_for(7.3);
    options.slo_percentile = percentile;
    std::vector<Point> points = mm1_blocks(3);
    for (Point& point : points)
      point.slo_percentile_ns = static_cast<double>(point.responses->percentile(percentile));
    const CellResult result = ordered_for_display(analyse(points, options));
    const SloGrid grid = slo_grid(points, options, result);
    const std::size_t p = place(grid.percentiles, percentile);
    const std::size_t b = place(grid.bounds_ns, options.slo_ns);
    ASSERT_LT(p, grid.percentiles.size());
    ASSERT_LT(b, grid.bounds_ns.size());
    const Estimate& own = grid.cliffs[p][b];
    EXPECT_EQ(own.value, result.cliff.value);
    EXPECT_EQ(own.low, result.cliff.low);
    EXPECT_EQ(own.high, result.cliff.high);
    EXPECT_EQ(own.reached, result.cliff.reached);
    EXPECT_EQ(own.limited_by, result.cliff.limited_by);
  }
}

TEST(SloGrid, SpansWhatWasMeasuredInEqualSteps) {
  const std::vector<Point> points = mm1_blocks(3);
  for (const double slo_ms : {0.01, 10.0, 1000.0}) {
    const SloGrid grid = grid_of(points, options_for(slo_ms));
    const std::vector<double>& bounds = grid.bounds_ns;
    EXPECT_LE(bounds.size(), 32U);
    EXPECT_GE(bounds.size(), 12U);
    for (const Point& point : points) {
      if (!point.stable) continue;
      EXPECT_LT(bounds.front(), static_cast<double>(point.responses->percentile(50)));
      EXPECT_GT(bounds.back(), static_cast<double>(point.responses->percentile(99.9)));
    }
    for (std::size_t i = 2; i < bounds.size(); ++i)
      EXPECT_NEAR(bounds[i] / bounds[i - 1], bounds[1] / bounds[0], 1e-9);
  }
}

TEST(SloGrid, NeverFallsAsTheBoundIsLoosenedNorExceedsSaturation) {
  const std::vector<Point> points = mm1_blocks(2);
  const CliffOptions options = options_for();
  const CellResult result = ordered_for_display(analyse(points, options));
  for (const std::vector<Estimate>& cliffs : slo_grid(points, options, result).cliffs) {
    double before = 0;
    for (const Estimate& cliff : cliffs) {
      if (cliff.reached != Reached::ok) continue;
      EXPECT_GE(cliff.value, before);
      EXPECT_LE(cliff.value, result.saturation.value);
      before = cliff.value;
    }
  }
}

TEST(SloGrid, WithoutHistogramsKnowsTheCellsOwnPercentileAlone) {
  const SloGrid grid = grid_of(mm1_blocks(3, false), options_for());
  ASSERT_EQ(grid.bounds_ns, std::vector<double>{10 * kMs});
  for (std::size_t p = 0; p < grid.percentiles.size(); ++p) {
    EXPECT_EQ(grid.cliffs[p][0].reached,
              grid.percentiles[p] == 99 ? Reached::ok : Reached::unmeasured);
  }
}

TEST(SloGrid, IsEmptyWithoutASlo) {
  EXPECT_TRUE(grid_of(mm1_blocks(2), options_for(0)).cliffs.empty());
  const SloGrid nothing = grid_of({}, options_for());
  EXPECT_EQ(nothing.cliffs.at(3).at(0).reached, Reached::unmeasured);
}

}  // namespace
}  // namespace precipice
