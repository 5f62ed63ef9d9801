// Claims judged on cells whose figures are known.
#include "harness/compare/claim_verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/trial/spec.hpp"
#include "models/random.hpp"
#include "tests/support/sanitized.hpp"

namespace precipice {
namespace {

constexpr double kServiceNs = 1e6;

/// A cell of an M/M/1 queue: its saturation in each block, and what else is told of it.
struct Told {
  std::string series = "event_loop", workload = "cpu";
  std::vector<double> saturation;  ///< by block
  bool overloaded = true;
  std::vector<double> loads = {0.2, 0.35, 0.45, 0.5, 0.55, 0.6, 0.7};  ///< of the first saturation
};

std::shared_ptr<const Histogram> exponential(double mean_ns) {
  auto histogram = std::make_shared<Histogram>();
  for (int i = 0; i < 1000; ++i)
    histogram->record(static_cast<std::int64_t>(-mean_ns * std::log(1 - (i + 0.5) / 1000)));
  return histogram;
}

CellSummary cell_of(const Told& told) {
  CellSummary cell;
  cell.model = parse_spec(told.series, "series");
  cell.workload = parse_spec(told.workload, "workload");
  cell.slo_ns = 10 * kServiceNs;
  cell.service_time_ns = kServiceNs;
  const double reference = told.saturation.front();
  for (std::size_t block = 0; block < told.saturation.size(); ++block) {
    const double saturation = told.saturation[block];
    const auto add = [&](Phase phase, double load, std::uint64_t closed) {
      Point point;
      point.phase = phase;
      point.block = static_cast<int>(block);
      point.closed = closed;
      point.rate_per_s = closed > 0 ? 0 : load * reference;
      point.offered_per_s = point.rate_per_s;
      point.goodput_per_s = closed > 0 ? saturation : std::min(point.rate_per_s, saturation);
      const double idle = 1 - point.rate_per_s / saturation;
      point.stable = closed == 0 && idle > 0.02;
      point.mean_response_ns = kServiceNs / std::max(idle, 0.001);
      point.slo_percentile_ns = std::log(100) * point.mean_response_ns;
      point.requests = 100'000;
      point.valid = true;
      point.responses = exponential(point.mean_response_ns);
      cell.evidence.push_back(point);
    };
    for (const double load : told.loads) add(Phase::refine, load, 0);
    if (!told.overloaded) continue;
    add(Phase::plateau, 0, 8);
    for (const double load : {1.2, 1.5}) add(Phase::overload, load, 0);
  }
  cell.trials = static_cast<int>(cell.evidence.size());
  cell.options.slo_ns = cell.slo_ns;
  cell.options.bootstrap = 100;
  cell.result = analyse(cell.evidence, cell.options);
  return cell;
}

ClaimVerdict verdict_on(const std::string& that, std::vector<CellSummary> summaries) {
  Plan plan;
  CampaignResult run;
  for (const CellSummary& cell : summaries) {
    const auto add = [](std::vector<Spec>& specs, const Spec& spec) {
      for (const Spec& each : specs) {
        if (each.to_string() == spec.to_string()) return;
      }
      specs.push_back(spec);
    };
    add(plan.models, cell.model);
    add(plan.workloads, cell.workload);
  }
  run.cells = std::move(summaries);
  plan.claims.push_back({"it is so", that});
  return judge_claims(plan, run).front();
}

Told pool(std::vector<double> saturation) {
  return {.series = "fixed_pool:threads=64", .saturation = std::move(saturation)};
}

const char* const kMore = "saturation(event_loop, cpu) > 1.10 * saturation(fixed_pool, cpu)";

TEST(ClaimVerdict, HoldsAndCarriesItsNumbers) {
  const ClaimVerdict verdict = verdict_on(
      kMore, {cell_of({.saturation = {7900, 8000, 8100}}), cell_of(pool({990, 1000, 1010}))});
  EXPECT_EQ(verdict.outcome, ClaimOutcome::holds);
  EXPECT_EQ(verdict.scale, "ratio");
  EXPECT_NEAR(verdict.value, 8, 0.1);
  EXPECT_LT(verdict.low, verdict.value);
  EXPECT_GT(verdict.high, verdict.value);
  EXPECT_TRUE(
      sentence(verdict).starts_with("holds: it is so: saturation 8000/s against 1000/s, ratio 8.0"))
      << sentence(verdict);
  EXPECT_TRUE(sentence(verdict).ends_with("], claimed > 1.10")) << sentence(verdict);
}

TEST(ClaimVerdict, FailsWhereTheIntervalLiesOnTheOtherSide) {
  EXPECT_EQ(verdict_on(kMore, {cell_of({.saturation = {990, 1000, 1010}}),
                               cell_of(pool({990, 1000, 1010}))})
                .outcome,
            ClaimOutcome::fails);
}

TEST(ClaimVerdict, IsUndecidedWhereTheIntervalHoldsTheBound) {
  const ClaimVerdict verdict = verdict_on(
      kMore, {cell_of({.saturation = {900, 1120, 1300}}), cell_of(pool({1100, 1000, 900}))});
  EXPECT_EQ(verdict.outcome, ClaimOutcome::undecided);
  EXPECT_LT(verdict.low, 1.10);
  EXPECT_GT(verdict.high, 1.10);
}

TEST(ClaimVerdict, WhatABlockHasInCommonCancels) {
  const std::vector<double> drift = {1, 1.3, 0.8, 1.1, 0.9};
  std::vector<double> fast, slow, shuffled;
  for (const double each : drift) {
    fast.push_back(1250 * each);
    slow.push_back(1000 * each);
  }
  shuffled = {1300, 800, 900, 1000, 1100};
  EXPECT_EQ(verdict_on(kMore, {cell_of({.saturation = fast}), cell_of(pool(slow))}).outcome,
            ClaimOutcome::holds);
  EXPECT_EQ(verdict_on(kMore, {cell_of({.saturation = fast}), cell_of(pool(shuffled))}).outcome,
            ClaimOutcome::undecided)
      << "the same spread without the pairing";
}

TEST(ClaimVerdict, SevenBlocksAreDrawn) {
  EXPECT_EQ(verdict_on(kMore, {cell_of({.saturation = {790, 800, 810, 805, 795, 800, 800}}),
                               cell_of(pool({99, 100, 101, 100, 100, 99, 101}))})
                .outcome,
            ClaimOutcome::holds);
}

TEST(ClaimVerdict, ACensoredFigureBoundsOneSideOnly) {
  const auto summaries = [] {
    return std::vector{cell_of({.saturation = {7900, 8000, 8100}, .overloaded = false}),
                       cell_of(pool({990, 1000, 1010}))};
  };
  ASSERT_EQ(summaries().front().result.saturation.reached, Reached::above);
  const ClaimVerdict more = verdict_on(kMore, summaries());
  EXPECT_EQ(more.outcome, ClaimOutcome::holds);
  EXPECT_TRUE(std::isinf(more.high));
  EXPECT_NE(more.numbers.find("at least"), std::string::npos) << more.numbers;
  EXPECT_EQ(verdict_on("saturation(event_loop, cpu) < 2 * saturation(fixed_pool, cpu)", summaries())
                .outcome,
            ClaimOutcome::fails)
      << "at least 5.6 times is not less than twice";
  for (const char* beyond :
       {"saturation(event_loop, cpu) > 20 * saturation(fixed_pool, cpu)",
        "saturation(event_loop, cpu) < 20 * saturation(fixed_pool, cpu)",
        "saturation(fixed_pool, cpu) / saturation(event_loop, cpu) within 10% of 0.05"}) {
    EXPECT_EQ(verdict_on(beyond, summaries()).outcome, ClaimOutcome::undecided) << beyond;
  }
}

TEST(ClaimVerdict, TwoLowerBoundsSayNothingOfTheirRatio) {
  const ClaimVerdict verdict =
      verdict_on(kMore, {cell_of({.saturation = {7900, 8000, 8100}, .overloaded = false}),
                         cell_of({.series = "fixed_pool:threads=64",
                                  .saturation = {990, 1000, 1010},
                                  .overloaded = false})});
  EXPECT_EQ(verdict.outcome, ClaimOutcome::undecided);
  EXPECT_NE(verdict.numbers.find("not bounded"), std::string::npos) << verdict.numbers;
}

TEST(ClaimVerdict, OneBlockHasNoIntervalAndDecidesNothing) {
  const std::vector one = {cell_of({.saturation = {8000}}), cell_of(pool({1000}))};
  for (const std::string& that :
       {std::string(kMore), std::string("plateau(event_loop, cpu) > plateau(fixed_pool, cpu)")}) {
    const ClaimVerdict verdict = verdict_on(that, one);
    EXPECT_EQ(verdict.outcome, ClaimOutcome::undecided) << that;
    EXPECT_NE(verdict.numbers.find("one block"), std::string::npos) << verdict.numbers;
  }
}

TEST(ClaimVerdict, ACellWithoutAValidTrialIsAnInvalidMeasurement) {
  CellSummary faulty = cell_of(pool({1000, 1000, 1000}));
  for (Point& point : faulty.evidence) point.valid = false;
  faulty.invalid_causes["host"] = 3;
  const CellSummary good = cell_of({.saturation = {7900, 8000, 8100}});
  const ClaimVerdict invalid = verdict_on(kMore, {good, faulty});
  EXPECT_EQ(invalid.outcome, ClaimOutcome::invalid);
  EXPECT_NE(invalid.numbers.find("host 3"), std::string::npos) << invalid.numbers;
  faulty.failure = "a digest was wrong";
  EXPECT_EQ(verdict_on(kMore, {good, faulty}).outcome, ClaimOutcome::invalid);
  faulty.lacking = true;
  EXPECT_EQ(verdict_on(kMore, {good, faulty}).outcome, ClaimOutcome::lacking);
}

TEST(ClaimVerdict, ResponsesAreAskedAtALoad) {
  const auto at = [](const std::string& that) {
    return verdict_on(that, {cell_of({.saturation = {990, 1000, 1010}})});
  };
  // M/M/1: the mean at half load is twice the service time, p50 is ln 2 of it.
  EXPECT_EQ(at("mean(event_loop, cpu, 0.5) within 10% of 2ms").outcome, ClaimOutcome::holds);
  EXPECT_EQ(at("p50(event_loop, cpu, 500/s) within 10% of 1.386ms").outcome, ClaimOutcome::holds);
  EXPECT_EQ(at("mean(event_loop, cpu, 0.65) within 12% of 2.86ms").outcome, ClaimOutcome::holds)
      << "interpolated: " << at("mean(event_loop, cpu, 0.65) within 12% of 2.86ms").numbers;
  EXPECT_EQ(at("mean(event_loop, cpu, 0.5) within 0.5ms of 2ms").outcome, ClaimOutcome::holds);
  const ClaimVerdict below = at("mean(event_loop, cpu, 0.05) < 1s");
  EXPECT_EQ(below.outcome, ClaimOutcome::undecided);
  EXPECT_NE(below.numbers.find("lowest rate measured"), std::string::npos) << below.numbers;
  EXPECT_EQ(at("mean(event_loop, cpu, 9) < 1s").outcome, ClaimOutcome::undecided);
}

TEST(ClaimVerdict, AMeasuredLoadNeedsNoNeighbour) {
  // The next lower rate is further away than an interpolation may reach.
  const CellSummary cell = cell_of({.saturation = {1000, 1010, 990}, .loads = {0.1, 0.5}});
  EXPECT_EQ(verdict_on("p99(event_loop, cpu, 500/s) within 5% of 9.2ms", {cell}).outcome,
            ClaimOutcome::holds);
  EXPECT_EQ(verdict_on("p99(event_loop, cpu, 498/s) within 5% of 9.2ms", {cell}).outcome,
            ClaimOutcome::holds);
  const ClaimVerdict between = verdict_on("p99(event_loop, cpu, 300/s) > 1ms", {cell});
  EXPECT_EQ(between.outcome, ClaimOutcome::undecided);
}

TEST(ClaimVerdict, PastSaturationAResponseIsALowerBound) {
  const auto at = [](const std::string& that) {
    return verdict_on(that, {cell_of({.saturation = {990, 1000, 1010}})}).outcome;
  };
  EXPECT_EQ(at("p99(event_loop, cpu, 1.2) > 10 * p99(event_loop, cpu, 0.5)"), ClaimOutcome::holds);
  EXPECT_EQ(at("p99(event_loop, cpu, 1.2) < 1h"), ClaimOutcome::undecided);
  EXPECT_EQ(at("mean(event_loop, cpu, 0.9) > 1ms"), ClaimOutcome::holds)
      << "between a stable rate and an overload: at least the stable one's";
  EXPECT_EQ(at("mean(event_loop, cpu, 0.9) < 1s"), ClaimOutcome::undecided);
}

TEST(ClaimVerdict, DifferencesAndConstants) {
  const auto at = [](const std::string& that) {
    return verdict_on(
               that, {cell_of({.saturation = {990, 1000, 1010}}), cell_of(pool({990, 1000, 1010}))})
        .outcome;
  };
  EXPECT_EQ(at("retention(event_loop, cpu) - retention(fixed_pool, cpu) <= 0.1"),
            ClaimOutcome::holds);
  EXPECT_EQ(at("retention(event_loop, cpu) - retention(fixed_pool, cpu) > 0.1"),
            ClaimOutcome::fails);
  EXPECT_EQ(at("slo(event_loop, cpu) >= 10ms"), ClaimOutcome::holds);
  EXPECT_EQ(at("10ms < slo(event_loop, cpu)"), ClaimOutcome::fails);
  EXPECT_EQ(at("recovery(event_loop, cpu) < 2"), ClaimOutcome::undecided) << "never measured";
}

TEST(ClaimVerdict, WrongVerdictsAreAsRareAsTheIntervalsSay) {
  Random random(3);
  const auto noisy = [&] {
    std::vector<double> saturation;
    for (int block = 0; block < 4; ++block) {
      double sum = -6;  // of twelve uniform draws: nearly normal
      for (int i = 0; i < 12; ++i) sum += random.uniform();
      saturation.push_back(1000 * std::exp(0.03 * sum));
    }
    return saturation;
  };
  int decided = 0;
  constexpr int kRuns = testing::kSanitized ? 10 : 30;
  for (int i = 0; i < kRuns; ++i) {
    const ClaimOutcome outcome =
        verdict_on("saturation(event_loop, cpu) > saturation(fixed_pool, cpu)",
                   {cell_of({.saturation = noisy()}), cell_of(pool(noisy()))})
            .outcome;
    if (outcome != ClaimOutcome::undecided) ++decided;
  }
  EXPECT_LE(decided, kRuns / 5) << "of pairs without a difference a twentieth is expected";
}

}  // namespace
}  // namespace precipice
