#include "harness/capacity/cliff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/stats/estimate.hpp"
#include "models/random.hpp"
#include "tests/support/mm1_points.hpp"

namespace precipice {
namespace {

using testing::kMs;
using testing::mm1;
using testing::mm1_blocks;
using testing::options_for;

TEST(Cliff, FindsTheClosedFormsOfMM1) {
  const CellResult result = analyse(mm1_blocks(3), options_for());
  EXPECT_EQ(result.cliff.reached, Reached::ok);
  EXPECT_EQ(result.cliff.limited_by, LimitedBy::slo);
  EXPECT_NEAR(result.cliff.value, 539.5, 0.5);
  EXPECT_NEAR(result.cliff5.value, 79.0, 1);
  EXPECT_NEAR(result.cliff20.value, 769.7, 1);
  EXPECT_NEAR(result.saturation.value, 1000, 1e-6);
  EXPECT_NEAR(result.knee.value, 500, 15);
  EXPECT_EQ(result.knee.reached, Reached::ok);
  EXPECT_NEAR(result.overload_retention.value, 1, 1e-9);
  EXPECT_NEAR(result.steepness, (769.7 - 79) / 539.5, 0.01);
  EXPECT_GT(result.cliff.resolution, 0);
}

/// p99 by rate; stable, without loss.
std::vector<Point> blocks_of(const std::vector<std::pair<double, double>>& p99_ms, int blocks) {
  std::vector<Point> points;
  for (int block = 0; block < blocks; ++block) {
    for (const auto& [rate, ms] : p99_ms) {
      Point point = mm1(rate, block);
      point.stable = true;
      point.responses = nullptr;
      point.goodput_per_s = rate;
      point.requests = static_cast<std::uint64_t>(rate);
      point.slo_percentile_ns = ms * 1e6;
      point.mean_response_ns = ms * 2e5;
      points.push_back(point);
    }
  }
  return points;
}

TEST(Cliff, LiesAboveADipAndSaysWhichLowRatesBreakTheBound) {
  const CellResult result = analyse(
      blocks_of({{300, 40}, {400, 30}, {600, 7}, {700, 8}, {750, 9.5}, {800, 13}, {900, 60}}, 5),
      options_for());
  EXPECT_EQ(result.cliff.reached, Reached::ok);
  EXPECT_GT(result.cliff.value, 740);
  EXPECT_LT(result.cliff.value, 800);
  EXPECT_EQ(result.broken_from_per_s, 300);
  EXPECT_EQ(result.broken_to_per_s, 400);
}

TEST(Cliff, BreaksBelowNothingWhereLatencyRises) {
  const CellResult result = analyse(mm1_blocks(5), options_for());
  EXPECT_EQ(result.broken_from_per_s, 0);
}

TEST(Cliff, NeedsThreeRequestsExpectedBeyondItsPercentile) {
  // 5 rates of 10 requests: half a request beyond p99 among all of them.
  std::vector<Point> points = blocks_of({{500, 7}, {510, 8}, {520, 9}, {530, 11}, {540, 12}}, 1);
  for (Point& point : points) point.requests = 10;
  EXPECT_EQ(analyse(points, options_for()).cliff.reached, Reached::unmeasured);
  for (Point& point : points) point.requests = 100;
  EXPECT_EQ(analyse(points, options_for()).cliff.reached, Reached::ok);
}

TEST(Cliff, OfASearchThatWasCutShortIsABound) {
  std::vector<Point> points;
  for (const std::uint64_t n : {1, 2, 4}) {
    Point loop;
    loop.phase = Phase::plateau;
    loop.closed = n;
    loop.goodput_per_s = 100.0 * static_cast<double>(n);
    loop.requests = 1000;
    loop.valid = loop.stable = true;
    points.push_back(loop);
  }
  for (const double rate : {400.0, 500.0, 620.0}) {
    points.push_back(mm1(rate, 0));
    points.back().phase = Phase::coarse;
  }
  const CellResult result = analyse(points, options_for());
  EXPECT_EQ(result.cliff.reached, Reached::above);
  EXPECT_EQ(result.cliff.value, 500);
  EXPECT_EQ(result.saturation.reached, Reached::above);
}

TEST(Cliff, SaturationOfALoopThatStillGrewIsABound) {
  // N over the wait, and no rate that was not carried.
  std::vector<Point> points;
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {300.0, 350.0, 400.0}) points.push_back(mm1(rate, block));
  }
  const auto loop = [&](std::uint64_t n, double goodput) {
    Point point;
    point.phase = Phase::plateau;
    point.closed = n;
    point.goodput_per_s = goodput;
    point.requests = 1000;
    point.valid = point.stable = true;
    points.push_back(point);
  };
  loop(512, 500);
  loop(1024, 1000);
  EXPECT_EQ(analyse(points, options_for()).saturation.reached, Reached::above);
  loop(2048, 1010);
  EXPECT_EQ(analyse(points, options_for()).saturation.reached, Reached::ok);
}

TEST(Cliff, IgnoresInvalidPointsAndTheOrderOfPoints) {
  std::vector<Point> points = mm1_blocks(3);
  const double before = analyse(points, options_for()).cliff.value;
  Point lie = mm1(600, 0);
  lie.slo_percentile_ns = 1;
  lie.goodput_per_s = 1e9;
  lie.valid = false;
  points.push_back(lie);
  std::reverse(points.begin(), points.end());
  const CellResult after = analyse(points, options_for());
  EXPECT_DOUBLE_EQ(after.cliff.value, before);
  EXPECT_LT(after.saturation.value, 1001);
}

TEST(Cliff, SaysBelowWhenTheLowestRateFails) {
  const CellResult result = analyse(mm1_blocks(3), options_for(4.7));
  EXPECT_EQ(result.cliff.reached, Reached::below);
  EXPECT_DOUBLE_EQ(result.cliff.value, 54);
}

TEST(Cliff, SaysAboveWhenNothingFailed) {
  std::vector<Point> points;
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {50.0, 100.0, 150.0}) points.push_back(mm1(rate, block));
  }
  const CellResult result = analyse(points, options_for(30));
  EXPECT_EQ(result.cliff.reached, Reached::above);
  EXPECT_DOUBLE_EQ(result.cliff.value, 150);
  EXPECT_EQ(result.saturation.reached, Reached::above);
}

TEST(Cliff, SaysUnmeasuredWithoutValidPoints) {
  const CellResult result = analyse({}, options_for());
  EXPECT_EQ(result.cliff.reached, Reached::unmeasured);
  EXPECT_TRUE(std::isnan(result.cliff.value));
  EXPECT_EQ(result.saturation.reached, Reached::unmeasured);
  EXPECT_EQ(result.knee.reached, Reached::unmeasured);
}

/// Serves at once until it cannot: p99 stays at S up to saturation.
std::vector<Point> step(const std::function<void(Point&)>& past) {
  std::vector<Point> points;
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {500.0, 800.0, 860.0, 920.0, 980.0, 1050.0, 1140.0, 1500.0}) {
      Point point = mm1(100, block);
      point.rate_per_s = point.goodput_per_s = rate;
      point.slo_percentile_ns = point.mean_response_ns = kMs;
      if (rate > 1000) past(point);
      points.push_back(point);
    }
  }
  return points;
}

TEST(Cliff, SaturationIsALowerBoundWhereEveryOpenLoopKeptUp) {
  std::vector<Point> points;
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {500.0, 1000.0}) {
      Point open;
      open.block = block;
      open.rate_per_s = open.offered_per_s = open.goodput_per_s = rate;
      open.slo_percentile_ns = open.mean_response_ns = 1e6;
      open.requests = 500;
      open.stable = open.valid = true;
      points.push_back(open);
    }
  }
  Point loop = points.front();  // a closed loop that ended long before it was flat
  loop.phase = Phase::plateau;
  loop.rate_per_s = 0;
  loop.closed = 4;
  loop.goodput_per_s = 300;
  points.push_back(loop);
  EXPECT_EQ(analyse(points, options_for()).saturation.reached, Reached::above);
  Point beyond = points[1];
  beyond.rate_per_s = beyond.offered_per_s = 1500;
  beyond.stable = false;
  points.push_back(beyond);
  EXPECT_EQ(analyse(points, options_for()).saturation.reached, Reached::ok);
}

TEST(Cliff, IsTheStabilityBoundWhenTheSloHoldsUpToIt) {
  const CellResult result = analyse(step([](Point& point) {
                                      point.stable = false;
                                      point.slo_percentile_ns = 1e12;
                                      point.goodput_per_s = 1000;
                                    }),
                                    options_for());
  EXPECT_EQ(result.cliff.reached, Reached::ok);
  EXPECT_EQ(result.cliff.limited_by, LimitedBy::saturation);
  EXPECT_NEAR(result.cliff.value, 1000, 10);
  EXPECT_LE(result.cliff.low, 980);
  EXPECT_GE(result.cliff.high, 1050);
}

TEST(Cliff, IsNoHigherThanSaturation) {
  // 980/s held, and most requests say that 970/s is all.
  const CellResult result = ordered_for_display(analyse(step([](Point& point) {
                                                          point.stable = false;
                                                          point.slo_percentile_ns = 1e12;
                                                          point.goodput_per_s = 970;
                                                          point.requests = 40'000;
                                                        }),
                                                        options_for()));
  EXPECT_NEAR(result.saturation.value, 970, 1e-6);
  EXPECT_NEAR(result.cliff.value, 970, 1e-6);
  EXPECT_LE(result.cliff.low, 970);
  EXPECT_GE(result.cliff.high, 1050);
}

TEST(Cliff, OfALooserBoundLiesNoLower) {
  // Blocks whose trials differ in what is carried, beside saturation: there each bound is read off
  // its own few requests.
  Random random(5);
  for (int search = 0; search < 40; ++search) {
    std::vector<Point> points;
    for (int block = 0; block < 3; ++block) {
      for (const double rate : {700.0, 780.0, 850.0, 900.0, 940.0, 970.0, 1500.0}) {
        const double carried = 1 + 0.1 * (2 * random.uniform() - 1);
        Point point = mm1(rate / carried, block);
        point.rate_per_s = rate;
        point.goodput_per_s = std::min(rate, 1000 * carried);
        points.push_back(point);
      }
    }
    CliffOptions options = options_for(50);
    options.service_time_ns = 0;  // half and twice the SLO
    options.window_s = 10;
    const CellResult result = ordered_for_display(analyse(points, options));
    ASSERT_EQ(result.cliff.reached, Reached::ok);
    if (result.cliff5.reached == Reached::ok) {
      EXPECT_LE(result.cliff5.value, result.cliff.value) << search;
    }
    if (result.cliff20.reached == Reached::ok) {
      EXPECT_GE(result.cliff20.value, result.cliff.value) << search;
    }
    EXPECT_LE(result.cliff.value, result.saturation.value) << search;
    EXPECT_LE(result.cliff20.low, result.cliff20.value) << search;
    EXPECT_GE(result.cliff20.high, result.cliff20.value) << search;
  }
}

TEST(Cliff, IsWhereLossBeginsWhenTheModelSheds) {
  const CellResult result = analyse(step([](Point& point) {
                                      point.loss = 1 - 1000 / point.rate_per_s;
                                      point.goodput_per_s = 1000;
                                    }),
                                    options_for());
  EXPECT_EQ(result.cliff.limited_by, LimitedBy::saturation);
  EXPECT_GE(result.cliff.value, 980);
  EXPECT_LE(result.cliff.value, 1050);
}

TEST(Cliff, OfALossThatGrowsAsAPowerIsReadOffAllRates) {
  // 0.1% are lost at 500/s, and half as many requests again for every 7% more.
  const auto losing = [](double rate) { return 0.001 * std::pow(rate / 500, 6); };
  double squares = 0, covered = 0;
  constexpr int kSearches = 100;
  for (std::uint64_t seed = 1; seed <= kSearches; ++seed) {
    Random random(seed);
    std::vector<Point> points;
    for (int block = 0; block < 9; ++block) {
      for (const double rate : {400.0, 430.0, 460.0, 490.0, 525.0, 570.0}) {
        Point point = mm1(rate, block);
        point.slo_percentile_ns = kMs;
        int lost = 0;
        for (int i = 0; i < 4000; ++i) lost += random.uniform() < losing(rate) ? 1 : 0;
        point.requests = 4000;
        point.loss = lost / 4000.0;
        points.push_back(point);
      }
      points.push_back(mm1(1500, block));
    }
    const Estimate cliff = analyse(points, options_for()).cliff;
    EXPECT_EQ(cliff.limited_by, LimitedBy::saturation);
    squares += std::pow(cliff.value / 500 - 1, 2);
    covered += cliff.low <= 500 && 500 <= cliff.high ? 1 : 0;
  }
  // 240 lost in all: their number is known to 6.5%, its sixth root to 1.1%; and the power itself is
  // fitted.
  EXPECT_LT(std::sqrt(squares / kSearches), 0.02);
  EXPECT_GE(covered, 90);
}

TEST(Cliff, ReportsCollapseUnderOverload) {
  const CellResult result = analyse(step([](Point& point) {
                                      point.stable = false;
                                      point.slo_percentile_ns = 1e12;
                                      point.goodput_per_s = point.rate_per_s > 1200 ? 250 : 1000;
                                    }),
                                    options_for());
  EXPECT_NEAR(result.saturation.value, 1000, 1e-6);
  EXPECT_NEAR(result.overload_retention.value, 0.25, 1e-6);
}

TEST(Cliff, FallsBackToInterpolationWhereNoLineFits) {
  // A response that jumps twentyfold at 900 leaves no line, where requests are slow one by one.
  std::vector<Point> points;
  for (int block = 0; block < 3; ++block) {
    for (const double rate : {780.0, 820.0, 860.0, 890.0, 910.0, 940.0, 980.0}) {
      Point point = mm1(100, block);
      point.rate_per_s = point.goodput_per_s = rate;
      point.slo_percentile_ns = rate < 900 ? 2 * kMs : 40 * kMs;
      point.scatter = {.deviation = 0.1 * kMs, .of_batches = 0.1 * kMs / std::sqrt(2000)};
      points.push_back(point);
    }
  }
  const CellResult result = analyse(points, options_for());
  EXPECT_EQ(result.cliff.reached, Reached::ok);
  EXPECT_GE(result.cliff.value, 890);
  EXPECT_LE(result.cliff.value, 910);
}

TEST(Cliff, FollowsALineALittlePastItsRates) {
  const auto search_of = [](std::vector<double> rates) {
    std::vector<Point> points;
    for (int block = 0; block < 3; ++block) {
      for (const double rate : rates) points.push_back(mm1(rate, block));
      points.push_back(mm1(1500, block));
    }
    return analyse(points, options_for()).cliff;
  };
  // The cliff is at 539.5.
  for (const auto& near : {std::vector{440.0, 480.0, 510.0}, std::vector{555.0, 585.0, 620.0}}) {
    EXPECT_EQ(search_of(near).reached, Reached::ok);
    EXPECT_NEAR(search_of(near).value, 539.5, 3);
  }
  EXPECT_EQ(search_of({300, 330, 360}).reached, Reached::above);
  EXPECT_EQ(search_of({800, 850, 900}).reached, Reached::below);
}

TEST(Cliff, MergesHistogramsAndNeverAveragesPercentiles) {
  // Two blocks whose tails differ: the p99 of the union is not the mean of their p99s. One block in
  // which 4% take long puts the union's p99 (2% long) there too, at every rate.
  const auto block_of = [](double rate, int block, double long_ms) {
    auto histogram = std::make_shared<Histogram>();
    const auto scale = rate / 100;
    histogram->record(static_cast<std::int64_t>(kMs * scale), block == 0 ? 1000 : 960);
    if (block == 1) histogram->record(static_cast<std::int64_t>(long_ms * kMs * scale), 40);
    Point point = mm1(100, block);
    point.rate_per_s = point.goodput_per_s = rate;
    point.requests = 1000;
    point.slo_percentile_ns = static_cast<double>(histogram->percentile(99));
    point.responses = histogram;
    return point;
  };
  std::vector<Point> points;
  for (const double rate : {80.0, 90.0, 100.0, 110.0, 120.0}) {
    points.push_back(block_of(rate, 0, 10));
    points.push_back(block_of(rate, 1, 10));
  }
  // Merged p99 is 10 ms x rate / 100; the mean of the two p99s would be 5.5 ms x rate / 100, and
  // nothing would cross. Of the rates beside it none and 2% are slow.
  const CellResult result = analyse(points, options_for(10));
  EXPECT_EQ(result.cliff.reached, Reached::ok);
  EXPECT_GE(result.cliff.value, 100);
  EXPECT_LT(result.cliff.value, 110);
}

TEST(Cliff, IsTheSameFromCompactedHistograms) {
  std::vector<Point> points = mm1_blocks(3, 0.03, 5), compact;
  Random random(8);
  for (Point& point : points) {
    Histogram responses;
    for (int i = 0; i < 2000; ++i) {
      responses.record(
          static_cast<std::int64_t>(-point.mean_response_ns * std::log(random.uniform_positive())));
    }
    compact.push_back(point);
    compact.back().responses = std::make_shared<const Histogram>(responses.compacted());
    point.responses = std::make_shared<const Histogram>(std::move(responses));
    EXPECT_LT(5 * compact.back().responses->memory_bytes(), point.responses->memory_bytes());
  }
  const CellResult a = analyse(points, options_for()), b = analyse(compact, options_for());
  ASSERT_EQ(a.cliff.reached, Reached::ok);
  EXPECT_EQ(a.cliff.value, b.cliff.value);
  EXPECT_EQ(a.cliff.low, b.cliff.low);
  EXPECT_EQ(a.cliff.high, b.cliff.high);
  EXPECT_EQ(a.cliff20.value, b.cliff20.value);
  EXPECT_EQ(a.saturation.value, b.saturation.value);
}

}  // namespace
}  // namespace precipice
