#include "harness/compare/comparison.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/compare/block_series.hpp"
#include "harness/json.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/paired_t.hpp"
#include "models/random.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

using testing::cell_of;
using testing::run_of;
using testing::Script;

RunComparison compared(const Script& a, const Script& b, const ComparisonOptions& options = {}) {
  const CampaignResult run_a = run_of({cell_of(a)}, a.blocks),
                       run_b = run_of({cell_of(b)}, b.blocks);
  return compare_runs({"a", &run_a}, {"b", &run_b}, options);
}

const Comparison& figure(const RunComparison& comparison, const std::string& name) {
  for (const Comparison& each : comparison.cells.front().figures) {
    if (each.figure == name) return each;
  }
  throw std::logic_error(name);
}

TEST(Comparison, FalseAlarmsStayWithinTheirLevel) {
  int saturation = 0, cliff = 0, named = 0, compared_cliffs = 0;
  constexpr int kPairs = 400;
  for (int i = 0; i < kPairs; ++i) {
    Script a, b;
    a.seed = static_cast<std::uint64_t>(2 * i + 1);
    b.seed = a.seed + 1;
    a.scatter = b.scatter = 0.02;
    const RunComparison result = compared(a, b);
    const Comparison& s = figure(result, "saturation");
    const Comparison& c = figure(result, "cliff");
    saturation += s.low95 > 1 || s.high95 < 1;
    if (c.ratio > 0) {
      ++compared_cliffs;
      cliff += c.low95 > 1 || c.high95 < 1;
    }
    for (const Comparison* each : {&s, &c})
      named += each->verdict == Difference::a_higher || each->verdict == Difference::b_higher;
  }
  // 20 of 400 expected, standard deviation 4.4; the seeds are fixed.
  EXPECT_GE(saturation, 7);
  EXPECT_LE(saturation, 33);
  EXPECT_GT(compared_cliffs, kPairs * 9 / 10);
  // A cliff's own interval allows for bursts, which these points do not have: fewer alarms.
  EXPECT_LE(cliff, 33);
  EXPECT_EQ(named, saturation + cliff);  // a family of one is the comparison alone
}

TEST(Comparison, FindsAPlantedTenPercent) {
  int found = 0, covered = 0;
  for (int i = 0; i < 100; ++i) {
    Script a, b;
    a.seed = static_cast<std::uint64_t>(2 * i + 1);
    b.seed = a.seed + 1;
    b.capacity_per_s = 1.1 * a.capacity_per_s;
    const Comparison s = figure(compared(a, b), "saturation");
    found += s.verdict == Difference::b_higher;
    covered += s.low95 <= 1.1 && s.high95 >= 1.1;
  }
  EXPECT_GE(found, 95);
  EXPECT_GE(covered, 88);
}

TEST(Comparison, ARunAgainstItselfIsIndistinguishable) {
  const RunComparison result = compared({}, {});
  EXPECT_EQ(result.tests, 2);
  for (const Comparison& each : result.cells.front().figures) {
    EXPECT_EQ(each.verdict, Difference::indistinguishable) << each.figure << each.remark;
    EXPECT_DOUBLE_EQ(each.ratio, 1);
  }
}

TEST(Comparison, LittleEvidenceGivesAnOrderAndNoWinner) {
  Script a, b;
  a.blocks = b.blocks = 3;  // two degrees of freedom, and intervals that overlap
  b.seed = 2;
  b.capacity_per_s = 4100;
  const Comparison s = figure(compared(a, b), "saturation");
  EXPECT_EQ(s.verdict, Difference::too_few_blocks);
  EXPECT_EQ(s.order, "B");
  EXPECT_EQ(s.degrees, 2);
  b.capacity_per_s = 8000;  // disjoint intervals are evidence enough
  const Comparison apart = figure(compared(a, b), "saturation");
  EXPECT_TRUE(apart.disjoint);
  EXPECT_EQ(apart.verdict, Difference::b_higher);
  EXPECT_GT(apart.low, 1);
  EXPECT_EQ(figure(compared(b, a), "saturation").verdict, Difference::a_higher);
  a.blocks = b.blocks = 4;
  b.capacity_per_s = 4800;
  EXPECT_EQ(figure(compared(a, b), "saturation").verdict, Difference::b_higher);
  a.blocks = b.blocks = 1;
  const Comparison one = figure(compared(a, b), "saturation");
  EXPECT_EQ(one.verdict, Difference::too_few_blocks);
  EXPECT_TRUE(std::isnan(one.low));
}

TEST(Comparison, ALeastEffectTurnsVerdictsIntoRelevance) {
  Script a, b;
  a.scatter = b.scatter = a.trial_scatter = b.trial_scatter = 0.002;
  b.seed = 2;
  b.capacity_per_s = 1.02 * a.capacity_per_s;
  EXPECT_EQ(figure(compared(a, b), "saturation").verdict, Difference::b_higher);
  const auto with = [&](double least) {
    return figure(compared(a, b, {.alpha = 0.05, .min_effect = least, .between_runs = 0}),
                  "saturation")
        .verdict;
  };
  EXPECT_EQ(with(0.05), Difference::no_relevant_difference);
  EXPECT_EQ(with(0.02), Difference::undecided);  // the interval is on both sides of the margin
  EXPECT_EQ(with(0.01), Difference::b_higher);
  a.scatter = b.scatter = 0.2;
  EXPECT_EQ(with(0.05), Difference::undecided);
}

TEST(Comparison, ABoundGivesNoNumberAndMayDecide) {
  Script a, b;
  a.centre = 0.5;  // every rate tried meets the SLO: the cliff lies above
  b.seed = 2;
  const Comparison open = figure(compared(a, b), "cliff");
  EXPECT_EQ(open.a.reached, Reached::above);
  EXPECT_EQ(open.a.low, open.a.value);  // it is the bound that is compared
  EXPECT_TRUE(std::isnan(open.ratio));
  EXPECT_EQ(open.verdict, Difference::undecided);
  EXPECT_NE(open.remark.find("A is"), std::string::npos);
  EXPECT_NE(open.remark.find("or more"), std::string::npos);
  EXPECT_NE(open.remark.find("does not decide"), std::string::npos);

  b.capacity_per_s = 2000;  // well below the bound
  const Comparison decided = figure(compared(a, b), "cliff");
  EXPECT_EQ(decided.verdict, Difference::a_higher) << decided.remark;
  EXPECT_TRUE(std::isnan(decided.ratio));
  EXPECT_EQ(figure(compared(b, a), "cliff").verdict, Difference::b_higher);

  Script c, d;
  c.centre = 1.6;  // no rate tried meets the SLO: the cliff lies below
  d.seed = 2;
  EXPECT_EQ(figure(compared(c, d), "cliff").a.reached, Reached::below);
  EXPECT_EQ(figure(compared(c, d), "cliff").verdict, Difference::undecided);
  d.capacity_per_s = 8000;
  EXPECT_EQ(figure(compared(c, d), "cliff").verdict, Difference::b_higher);
  EXPECT_EQ(figure(compared(d, c), "cliff").verdict, Difference::a_higher);
  EXPECT_EQ(figure(compared(c, a), "cliff").order, "");  // below 3.9k, and 1.7k or more
  c.capacity_per_s = 1000;
  EXPECT_EQ(figure(compared(c, a), "cliff").verdict, Difference::b_higher);  // the bounds part them

  b = a;  // two lower bounds
  EXPECT_EQ(figure(compared(a, b), "cliff").verdict, Difference::undecided);
}

TEST(Comparison, WhatWasNotMeasuredIsNotCompared) {
  CellSummary broken = cell_of({});
  broken.failure = "no descriptors";
  const CampaignResult a = run_of({broken}), b = run_of({cell_of({})});
  const RunComparison result = compare_runs({"a", &a}, {"b", &b});
  for (const Comparison& each : result.cells.front().figures) {
    EXPECT_EQ(each.verdict, Difference::not_compared);
    EXPECT_NE(each.remark.find("no descriptors"), std::string::npos);
  }
  EXPECT_EQ(result.tests, 0);
}

TEST(Comparison, CellsMatchByLabelThenByTheirNamesAlone) {
  const auto named = [](const char* threads, const char* workload) {
    Script script;
    script.model.given["threads"] = threads;
    script.workload = {workload, {}};
    return cell_of(script);
  };
  const CampaignResult a = run_of({named("20", "sleep"), named("8", "cpu"), named("4", "file")});
  const CampaignResult b =
      run_of({named("22", "sleep"), named("8", "cpu"), named("5", "file"), named("6", "file")});
  const RunComparison result = compare_runs({"a", &a}, {"b", &b});
  ASSERT_EQ(result.cells.size(), 2u);
  EXPECT_FALSE(result.cells[0].by_kind);
  EXPECT_EQ(result.cells[0].workload_a.name, "cpu");
  EXPECT_TRUE(result.cells[1].by_kind);
  EXPECT_EQ(result.cells[1].model_b.given.at("threads"), "22");
  EXPECT_EQ(result.only_a.size(), 1u);  // two candidates are no pair
  EXPECT_EQ(result.only_b.size(), 2u);
}

TEST(Comparison, ComputingIsComparedAtEqualMachineSpeed) {
  Script a, b;
  a.workload = b.workload = {"cpu", {{"work", "1ms"}}};
  a.speed_ns.assign(9, 1.0e5);
  b.speed_ns = {1.5e5, 1.2e5, 1.4e5, 1.3e5, 1.3e5, 1.25e5, 1.45e5, 1.35e5, 1.3e5};
  b.seed = 2;
  b.slo_ns = 1.3 * a.slo_ns;  // 10 S_ref, and S is longer on the slower machine
  RunComparison result = compared(a, b);
  EXPECT_TRUE(result.cells.front().adjusted);
  EXPECT_NEAR(result.cells.front().speed, 1 / 1.335 - 1, 0.02);
  EXPECT_EQ(figure(result, "saturation").verdict, Difference::indistinguishable);
  EXPECT_NEAR(figure(result, "saturation").ratio, 1, 0.03);

  b.capacity_per_s = 1.1 * a.capacity_per_s;  // the code is better, on the slower machine
  result = compared(a, b);
  EXPECT_EQ(figure(result, "saturation").verdict, Difference::b_higher);

  a.workload = b.workload = {"sleep", {{"wait", "5ms"}}};
  b.capacity_per_s = a.capacity_per_s;
  result = compared(a, b);
  EXPECT_FALSE(result.cells.front().adjusted);
  EXPECT_EQ(figure(result, "saturation").verdict, Difference::a_higher);
}

TEST(Comparison, AnotherAmountOfWorkUnderTheSameNameIsTakenOut) {
  Script a, b;
  a.workload = b.workload = {"cpu", {{"work", "1ms"}}};
  a.speed_ns.assign(9, 1e5);
  b.speed_ns.assign(9, 1e5);
  b.seed = 2;
  b.capacity_per_s = a.capacity_per_s / 1.25;  // its calibration gave a request 1.25 times the work
  const CampaignResult run_a = run_of({cell_of(a)}), run_b = run_of({cell_of(b)});
  const RunComparison result = compare_runs({"a", &run_a, 1000}, {"b", &run_b, 1250});
  EXPECT_NEAR(figure(result, "saturation").ratio, 1, 0.03);
  EXPECT_DOUBLE_EQ(result.cells.front().work, 1.25);
}

TEST(Comparison, BothCliffsAreReadAtOneBound) {
  Script a, b;
  b.slo_ns = 1.2 * a.slo_ns;  // the bound of b is looser, so its own cliff is higher
  const RunComparison result = compared(a, b);
  const ComparedCell& cell = result.cells.front();
  EXPECT_NEAR(cell.slo_common_a_ns, std::sqrt(1.2) * a.slo_ns, 1);
  EXPECT_DOUBLE_EQ(cell.slo_common_a_ns, cell.slo_common_b_ns);
  const Comparison& cliff = figure(result, "cliff");
  EXPECT_NEAR(cliff.ratio, 1, 0.03);
  EXPECT_EQ(cliff.verdict, Difference::indistinguishable);
}

TEST(Comparison, WhatRunsDifferByWithoutCauseWidensTheInterval) {
  Script a, b;
  b.seed = 2;
  const Comparison narrow = figure(compared(a, b), "saturation");
  const Comparison wide =
      figure(compared(a, b, {.alpha = 0.05, .min_effect = 0, .between_runs = 0.02}), "saturation");
  EXPECT_GT(std::log(wide.high95 / wide.low95), 1.5 * std::log(narrow.high95 / narrow.low95));
}

TEST(Comparison, ACliffsRatioIsNeverSurerThanTheCliffs) {
  CellSummary vague = cell_of({});
  vague.result.cliff.low = vague.result.cliff.value / 1.5;
  vague.result.cliff.high = vague.result.cliff.value * 1.5;
  const auto with = [&](double degrees) {
    vague.result.cliff.degrees = degrees;
    const CampaignResult a = run_of({vague}), b = run_of({vague});
    return figure(compare_runs({"a", &a}, {"b", &b}), "cliff");
  };
  // The intervals know no more than the nine blocks, which agree.
  const Comparison alone = with(8);
  EXPECT_EQ(alone.degrees, 8);
  EXPECT_NEAR(alone.high95, std::exp(std::sqrt(2.0) * std::log(1.5)), 0.02);
  EXPECT_NEAR(alone.low95, 1 / alone.high95, 1e-9);
  // Two degrees of freedom more, of either cliff, count as four beside the eight.
  const Comparison both = with(10);
  EXPECT_NEAR(both.degrees, 12, 1e-9);
  const double deviation = std::log(1.5) / 2.228139;
  EXPECT_NEAR(both.high95, std::exp(2.178813 * deviation * std::sqrt(8.0 / 12)), 0.01);
}

TEST(Comparison, TheCliffsOfBlocksScatterAsTheBlocksDo) {
  double scatter = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Script script;
    script.seed = seed;
    script.trial_scatter = 0.001;
    const CellSummary cell = cell_of(script);
    double mean = 0, squares = 0;
    const BlockSeries series = cliff_by_block(cell.evidence, cell.options);
    ASSERT_EQ(series.size(), 9u);
    for (const auto& [block, value] : series) mean += value / 9;
    for (const auto& [block, value] : series) squares += (value - mean) * (value - mean) / 8;
    EXPECT_NEAR(mean, std::log(cell.result.cliff.value), 0.02);
    scatter += std::sqrt(squares) / 20;
  }
  // 2% of the capacity of 4,000 is 2.6% of the cliff at 3,079.
  EXPECT_NEAR(scatter, 0.026, 0.006);
}

TEST(Comparison, NoFigureOfASilentBlockEnters) {
  CellSummary cell = cell_of({});
  for (Point& point : cell.evidence) point.valid = point.valid && point.block != 4;
  const BlockSeries series = saturation_by_block(cell.evidence, cell.options);
  EXPECT_EQ(series.size(), 8u);
  EXPECT_FALSE(series.contains(4));
}

}  // namespace
}  // namespace precipice
