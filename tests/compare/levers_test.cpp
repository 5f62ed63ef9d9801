// What policies move, on cells whose figures are known: M/M/1 queues with and without a policy.
#include "harness/compare/levers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/json.hpp"
#include "harness/store/comparison_json.hpp"

namespace precipice {
namespace {

const std::vector<double> kBlocks = {1000, 1040, 980};

/// A queue that answers in 1 / (saturation - load) on average, by block.
struct Told {
  std::string policy{};
  double times = 1;     ///< kBlocks x this are its saturations
  double kept = 1;      ///< of the saturation, beyond it
  double attempts = 0;  ///< for each request; 0: none are counted
  double price = 0;     ///< per hour
  std::size_t blocks = kBlocks.size();
  std::vector<double> loads = {0.15, 0.3, 0.45, 0.5, 0.55, 0.6, 0.75, 0.85};
};

std::shared_ptr<const Histogram> exponential(double mean_ns) {
  auto histogram = std::make_shared<Histogram>();
  for (int i = 0; i < 1000; ++i)
    histogram->record(static_cast<std::int64_t>(-mean_ns * std::log(1 - (i + 0.5) / 1000)));
  return histogram;
}

CellSummary cell_of(const Told& told) {
  CellSummary cell;
  cell.model = {"event_loop", {}, told.policy};
  cell.workload = {"cpu", {}};
  cell.slo_ns = 10e6;
  cell.price_per_hour = told.price;
  for (std::size_t block = 0; block < told.blocks; ++block) {
    const double saturation = told.times * kBlocks[block];
    const auto add = [&](Phase phase, double rate, double goodput) {
      Point point;
      point.phase = phase;
      point.block = static_cast<int>(block);
      point.rate_per_s = point.offered_per_s = rate;
      point.goodput_per_s = goodput;
      point.stable = rate < 0.98 * saturation;
      point.mean_response_ns = 1e9 / std::max(saturation - rate, 1.0);
      point.slo_percentile_ns = std::log(100) * point.mean_response_ns;
      point.requests = 100'000;
      point.valid = true;
      point.responses = exponential(point.mean_response_ns);
      cell.evidence.push_back(point);
      if (told.attempts == 0 || !point.stable) return;
      Record record;
      record.block = point.block;
      record.used = record.trial.stable = true;
      record.trial.request.rate_per_s = rate;
      record.trial.counts.sent = 10'000;
      record.trial.attempts.emplace().begun =
          static_cast<std::uint64_t>(10'000 * (told.attempts + 0.01 * static_cast<double>(block)));
      cell.points.push_back(record);
    };
    for (const double load : told.loads)
      add(Phase::refine, load * told.times * kBlocks[0], load * told.times * kBlocks[0]);
    for (const double load : {1.2, 1.5})
      add(Phase::overload, load * told.times * kBlocks[0],
          load > 1.3 ? told.kept * saturation : saturation);
  }
  cell.trials = static_cast<int>(cell.evidence.size());
  cell.options.slo_ns = cell.slo_ns;
  cell.options.bootstrap = 100;
  cell.result = analyse(cell.evidence, cell.options);
  if (told.attempts > 0) cell.attempts_per_request = told.attempts + 0.01;
  return cell;
}

std::vector<Lever> levers(const std::vector<Told>& all) {
  CampaignResult run;
  for (const Told& told : all) run.cells.push_back(cell_of(told));
  return levers_of(run);
}

std::vector<MovedFigure> named(const Lever& lever, const std::string& figure) {
  std::vector<MovedFigure> found;
  for (const MovedFigure& moved : lever.figures) {
    if (moved.figure == figure) found.push_back(moved);
  }
  return found;
}

MovedFigure only(const Lever& lever, const std::string& figure) {
  const std::vector<MovedFigure> found = named(lever, figure);
  EXPECT_EQ(found.size(), 1U) << figure;
  return found.empty() ? MovedFigure() : found.front();
}

TEST(Levers, AreRatiosToTheSameModelWithoutAPolicyBlockByBlock) {
  const std::vector<Lever> found = levers({{}, {.policy = "doubled", .times = 2}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].series.to_string(), "event_loop|doubled");
  EXPECT_EQ(found[0].without.to_string(), "event_loop");
  const MovedFigure top = only(found[0], "saturation_per_s");
  EXPECT_NEAR(top.ratio.value, 2, 1e-9);
  EXPECT_NEAR(top.with.value, 2 * top.without.value, 1e-6);
  // The blocks differ by 6%, and both sides share them: the ratio's interval is the narrower one.
  const auto width = [](const Estimate& e) { return std::log(e.high / e.low); };
  EXPECT_GT(width(top.with), 0.05);
  EXPECT_LT(width(top.ratio), 0.5 * width(top.with));
}

TEST(Levers, CompareResponsesAtLoadsMeasuredOfBoth) {
  const std::vector<Lever> found = levers({{}, {.policy = "doubled", .times = 2}});
  const std::vector<MovedFigure> p99 = named(found.at(0), "p99_ns");
  ASSERT_FALSE(p99.empty());
  bool half = false;
  for (const MovedFigure& moved : p99) {
    if (moved.load_per_s > 900) {  // past what the one carries its response is a bound
      EXPECT_NE(moved.ratio.reached, Reached::ok);
      continue;
    }
    // Blocks merged: close to the means of exponentials with the blocks' rates.
    const double expected = (1000 - moved.load_per_s) / (2000 - moved.load_per_s);
    EXPECT_NEAR(moved.ratio.value / expected, 1, 0.08) << moved.load_per_s;
    EXPECT_LE(moved.ratio.low, moved.ratio.value);
    EXPECT_GE(moved.ratio.high, moved.ratio.value);
    half = half || std::abs(moved.load_per_s / 500 - 1) < 0.05;
  }
  EXPECT_TRUE(half);
  // Of a load that one of them was never offered there is nothing to say.
  const std::vector<Lever> apart =
      levers({{.loads = {0.1, 0.15}}, {.policy = "far", .times = 20, .loads = {0.8, 0.9}}});
  EXPECT_TRUE(named(apart.at(0), "p99_ns").empty());
  EXPECT_FALSE(named(apart.at(0), "saturation_per_s").empty());
}

TEST(Levers, AttemptsAreHeldAgainstOneForEachRequest) {
  const MovedFigure moved =
      only(levers({{}, {.policy = "hedged", .attempts = 1.2}}).at(0), "attempts_per_request");
  EXPECT_EQ(moved.without.value, 1);
  EXPECT_NEAR(moved.ratio.value, 1.21, 1e-9);
  EXPECT_LT(moved.ratio.low, 1.21);
  EXPECT_GT(moved.ratio.high, 1.21);
  EXPECT_GT(moved.ratio.low, 1.1);
}

TEST(Levers, AGoodputOfNothingIsAValueAndNoRatio) {
  const MovedFigure moved =
      only(levers({{}, {.policy = "retried", .kept = 0}}).at(0), "overload_goodput_per_s");
  EXPECT_EQ(moved.with.value, 0);
  EXPECT_EQ(moved.with.reached, Reached::ok);
  EXPECT_NEAR(moved.without.value, 1000, 50);
  EXPECT_EQ(moved.ratio.reached, Reached::unmeasured);
}

TEST(Levers, TwiceTheRequestsAreHalfTheCost) {
  const MovedFigure moved =
      only(levers({{.price = 0.5}, {.policy = "doubled", .times = 2, .price = 0.5}}).at(0),
           "cost_per_million");
  EXPECT_LT(moved.ratio.high, 0.6);
  EXPECT_LT(moved.ratio.low, moved.ratio.high);
}

TEST(Levers, OneBlockHasNoIntervalOfAResponse) {
  const std::vector<Lever> found =
      levers({{.blocks = 1}, {.policy = "doubled", .times = 2, .blocks = 1}});
  for (const MovedFigure& moved : named(found.at(0), "p99_ns")) {
    EXPECT_GT(moved.ratio.value, 0);
    EXPECT_TRUE(std::isnan(moved.ratio.low));
  }
}

TEST(Levers, SayWhatIsMissing) {
  const std::vector<Lever> found = levers({{.policy = "hedged"}, {.policy = "batched"}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].missing.find("event_loop was not run without a policy"), std::string::npos);
  EXPECT_TRUE(found[0].figures.empty());
  EXPECT_TRUE(levers({{}}).empty());
  CampaignResult run;
  run.cells = {cell_of({}), cell_of({.policy = "hedged"})};
  run.cells[0].failure = "the kernel has no rings";
  EXPECT_EQ(levers_of(run).at(0).missing, "event_loop has no valid trial");
}

TEST(Levers, AreWrittenWithIntervals) {
  const Json json = levers_json(levers({{}, {.policy = "doubled", .times = 2}}));
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["series"], "event_loop|doubled");
  for (const Json& moved : json[0]["figures"]) {
    EXPECT_EQ(moved["load_per_s"].is_null(), moved["figure"].get<std::string>().find('p') != 0)
        << moved;
    EXPECT_TRUE(moved["ratio"].contains("low"));
  }
}

}  // namespace
}  // namespace precipice
