// Claims: their language, the cells that they name, and verdicts on cells whose truth is known.
#include "harness/compare/claim_verdict.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/compare/cell_lookup.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/stats/block_bootstrap.hpp"
#include "harness/store/suite.hpp"
#include "harness/trial/spec.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

// --- The language

std::string complaint(const std::string& claim) {
  try {
    parse_claim(claim);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ClaimParser, TakesTheExampleOfTheManualApart) {
  const ClaimRelation claim =
      parse_claim("saturation(io_uring, sleep) > 1.10 * saturation(fixed_pool.threads=64, sleep)");
  EXPECT_EQ(claim.kind, ClaimRelation::Kind::above);
  const ClaimNode& left = claim.nodes.at(claim.left);
  EXPECT_EQ(left.kind, ClaimNode::Kind::call);
  EXPECT_EQ(left.figure, Figure::saturation);
  EXPECT_EQ(left.series.to_string(), "io_uring");
  const ClaimNode& right = claim.nodes.at(claim.right);
  EXPECT_EQ(right.kind, ClaimNode::Kind::multiply);
  EXPECT_DOUBLE_EQ(claim.nodes.at(right.left).value, 1.10);
  EXPECT_EQ(claim.nodes.at(right.right).series.to_string(), "fixed_pool:threads=64");
  EXPECT_EQ(claim.nodes.at(right.right).workload.to_string(), "sleep");
}

TEST(ClaimParser, KeepsSettingsAndParenthesesOfANameTogether) {
  const ClaimRelation claim = parse_claim(
      "p99(fixed_pool:threads=8,queue=mutex, cpu.work=1ms,dist=bimodal(0.9,1,40), 80%) < 5ms");
  const ClaimNode& call = claim.nodes.at(claim.left);
  EXPECT_EQ(call.series.to_string(), "fixed_pool:queue=mutex,threads=8");
  EXPECT_EQ(call.workload.to_string(), "cpu:dist=bimodal(0.9,1,40),work=1ms");
  ASSERT_TRUE(call.load);
  EXPECT_TRUE(call.load->share);
  EXPECT_DOUBLE_EQ(call.load->value, 0.8);
  const ClaimRelation at_rate = parse_claim("mean(inline, cpu, 1.2k/s) < 5ms");
  EXPECT_FALSE(at_rate.nodes.at(at_rate.left).load->share);
  EXPECT_DOUBLE_EQ(at_rate.nodes.at(at_rate.left).load->value, 1200);
}

TEST(ClaimParser, ComputesNumbersWithUnitsAndPrecedence) {
  const auto number = [](const std::string& text) {
    const ClaimRelation claim = parse_claim(
        "slo(inline, cpu) * slo(inline, cpu) / slo(inline, cpu)"
        " / 1s < " +
        text);
    return claim.nodes.at(claim.right).value;
  };
  EXPECT_DOUBLE_EQ(number("1 + 2 * 3 - 8 / 4"), 5);
  EXPECT_DOUBLE_EQ(number("-(1 + 2) * -2"), 6);
  EXPECT_DOUBLE_EQ(number("8 / 5ms / 1/s"), 1600);
}

TEST(ClaimParser, LittlesLawHasTheRightDimension) {
  const ClaimRelation claim = parse_claim("saturation(inline, sleep) within 10% of 8 / 5ms");
  EXPECT_EQ(claim.kind, ClaimRelation::Kind::within);
  EXPECT_TRUE(claim.relative_tolerance);
  EXPECT_DOUBLE_EQ(claim.tolerance, 0.1);
  EXPECT_DOUBLE_EQ(claim.nodes.at(claim.right).value, 1600);
  EXPECT_EQ(complaint("saturation(inline, sleep) * slo(inline, sleep) > 8"), "");
  EXPECT_EQ(complaint("knee(inline, cpu) > 500"), "") << "a plain number beside a rate";
}

TEST(ClaimParser, NamesTheColumnAndTheCure) {
  const struct {
    const char* claim;
    const char* column;
    const char* cure;
  } wrong[] = {
      {"", "at 1:", "number or a figure"},
      {"saturatoin(a, b) > 1", "at 1:", "did you mean 'saturation'"},
      {"saturation(a) > 1", "at 11:", "saturation(SERIES, WORKLOAD)"},
      {"p99(a, b) > 1ms", "at 4:", "LOAD"},
      {"p99(a, b, fast) > 1ms", "at 11:", "share"},
      {"p99(a, b, 5ms) > 1ms", "at 11:", "rate"},
      {"saturation(a, b > 1", "at 20:", "never closed"},
      {"saturation > 1", "at 12:", "saturation(SERIES"},
      {"saturation(a, b)", "at 17:", "relation"},
      {"saturation(a, b) > 1 > 2", "at 22:", "second claim"},
      {"saturation(a, b) > 5ms", "at 18:", "a rate and a time"},
      {"slo(a, b) + 1 > 5ms", "at 11:", "adds a time and a plain number"},
      {"saturation(a, b) > 5 parsecs", "at 22:", "operator"},
      {"saturation(a, b) > 5parsecs", "at 21:", "no unit"},
      {"saturation(a, b) > 1 / 0", "at 22:", "zero"},
      {"saturation(a, b) within 500", "at 28:", "'of'"},
      {"saturation(a, b) within 0% of 500", "at 25:", "above 0"},
      {"500 within 1% of saturation(a, b)", "at 5:", "behind 'of'"},
      {"1 < 2", "at 1:", "figure"},
      {"(saturation(a, b) > 1", "at 19:", "parenthesis of 1"},
      {"saturation(a, b) > 1e999", "at 20:", "not a number"},
      {"saturation(fixed_pool.threads, b) > 1", "at 12:", "key=value"},
      {"saturation(a, b) \xe2\x89\xa5 1", "at 18:", "ASCII"},
  };
  for (const auto& [claim, column, cure] : wrong) {
    const std::string message = complaint(claim);
    EXPECT_TRUE(message.starts_with(column)) << claim << "\n" << message;
    EXPECT_NE(message.find(cure), std::string::npos) << claim << "\n" << message;
  }
}

TEST(ClaimParser, StaysBoundedWhateverItReads) {
  EXPECT_NE(complaint(std::string(kLongestClaim + 1, ' ')).find("at most"), std::string::npos);
  EXPECT_NE(complaint(std::string(1900, '(')).find("deep"), std::string::npos);
  EXPECT_NE(complaint(std::string(1900, '-')).find("deep"), std::string::npos);
  std::string many = "saturation(a, b) > 1";
  while (many.size() < kLongestClaim - 2) many += "+1";
  EXPECT_EQ(complaint(many), "");
  Random random(7);
  const std::string letters = "saturtion(,)<>=+-*/ 0.1k%m/swithof:";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(40); n > 0; --n)
      text += letters[random.below(letters.size())];
    complaint(text);  // throws nothing but UsageError
  }
}

// --- The cells that a claim names

std::vector<CellName> cells(std::initializer_list<std::pair<const char*, const char*>> names) {
  std::vector<CellName> result;
  for (const auto& [model, workload] : names)
    result.push_back({parse_spec(model, "model"), parse_spec(workload, "workload")});
  return result;
}

std::string resolution(const char* series, const char* workload,
                       const std::vector<CellName>& among) {
  try {
    return std::to_string(
        resolve_cell(parse_spec(series, "series"), parse_spec(workload, "workload"), among));
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(CellReference, MeansExactlyOneCellOrListsTheCandidates) {
  const auto among = cells({{"fixed_pool:threads=8", "sleep:wait=5ms"},
                            {"fixed_pool:threads=64", "sleep:wait=5ms"},
                            {"event_loop", "sleep:wait=5ms"},
                            {"event_loop", "sleep:wait=10ms"},
                            {"event_loop", "cpu"}});
  EXPECT_EQ(resolution("fixed_pool:threads=64", "sleep", among), "1");
  EXPECT_EQ(resolution("fixed_pool:threads=64", "sleep:wait=5000us", among), "1");
  EXPECT_EQ(resolution("event_loop", "cpu:work=200us", among), "4") << "its default";
  const std::string ambiguous = resolution("fixed_pool", "sleep", among);
  EXPECT_NE(ambiguous.find("could be 2 cells"), std::string::npos) << ambiguous;
  EXPECT_NE(ambiguous.find("fixed_pool:threads=8, sleep:wait=5ms"), std::string::npos) << ambiguous;
  EXPECT_EQ(ambiguous.find("event_loop"), std::string::npos) << ambiguous;
  const std::string nothing = resolution("fixed_pool:threads=9", "sleep", among);
  EXPECT_NE(nothing.find("no cell"), std::string::npos) << nothing;
  EXPECT_NE(nothing.find("event_loop, cpu"), std::string::npos) << nothing;
}

TEST(CellReference, PrefersTheOneThatIsWrittenInTheVerySameWay) {
  const auto among = cells({{"event_loop", "sleep"}, {"event_loop", "sleep:wait=10ms"}});
  EXPECT_EQ(resolution("event_loop", "sleep", among), "0");
}

// --- Verdicts

constexpr double kServiceNs = 1e6;

/// A cell of an M/M/1 queue: its saturation in each block, and what else is told of it.
struct Told {
  std::string series = "event_loop", workload = "cpu";
  std::vector<double> saturation;  ///< by block
  bool overloaded = true;
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
    for (const double load : {0.2, 0.35, 0.45, 0.5, 0.55, 0.6, 0.7}) add(Phase::refine, load, 0);
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
  constexpr int kRuns = 30;
  for (int i = 0; i < kRuns; ++i) {
    const ClaimOutcome outcome =
        verdict_on("saturation(event_loop, cpu) > saturation(fixed_pool, cpu)",
                   {cell_of({.saturation = noisy()}), cell_of(pool(noisy()))})
            .outcome;
    if (outcome != ClaimOutcome::undecided) ++decided;
  }
  EXPECT_LE(decided, 6) << "of 30 pairs without a difference, 1.5 are expected";
}

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

// --- In suites and on the command line

const std::string kQueues = R"(schema = 1
name = "q"
blocks = 2
slo = "p99 < 10xS"
[load]
clock = "virtual"
[search]
refine = [0.9, 1.1]
overload = [1.5]
grid = [0.5]
[[model]]
use = "oracle"
mean = "1ms"
service = ["fixed", "exponential"]
[[workload]]
use = "empty"
)";

std::string claim(const std::string& that) {
  return "[[claim]]\nsay = \"so\"\nthat = \"" + that + "\"\n";
}

TEST(ClaimsOfASuite, AreRefusedWithFileLineAndKey) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      parse_suite(text, "bad.toml");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const std::string unreadable = message(kQueues + claim("cliff(oracle, empty >"));
  EXPECT_TRUE(unreadable.starts_with("bad.toml:19: claim.that: at 22:")) << unreadable;
  const std::string ambiguous = message(kQueues + claim("cliff(oracle, empty) > 1"));
  EXPECT_TRUE(ambiguous.starts_with("bad.toml:19: claim.that: at 1:")) << ambiguous;
  EXPECT_NE(ambiguous.find("oracle:mean=1ms,service=exponential, empty"), std::string::npos);
  EXPECT_EQ(message(kQueues + claim("cliff(oracle.service=fixed, empty) > 1")), "");
  EXPECT_NE(message(kQueues + "models = [\"oracle.threads\"]").find("workload.models"),
            std::string::npos);
  EXPECT_NE(message(kQueues + "models = [\"oracle:service=fixed\"]").find("on no workload"),
            std::string::npos);
}

TEST(ClaimsOfASuite, AWorkloadCanLeaveSeriesOut) {
  const std::string text =
      kQueues + "models = [\"oracle:service=fixed\"]\n" + "[[workload]]\nuse = \"sleep\"\n";
  std::string real = text;
  real.erase(real.find("clock = \"virtual\"\n"), 18);
  const Plan plan = parse_suite(real, "suite.toml");
  EXPECT_EQ(cells_of(plan).size(), 3u);
  const Plan again = parse_suite(to_toml(plan), "resolved.toml");
  EXPECT_EQ(to_toml(again), to_toml(plan));
  EXPECT_EQ(plan_hash(again), plan_hash(plan));
}

TEST(ClaimsOfASuite, OnlyDropsTheClaimsWhoseCellsItDrops) {
  Plan plan = parse_suite(kQueues + claim("cliff(oracle.service=fixed, empty) > 1") +
                              claim("cliff(oracle.service=exponential, empty) > 1"),
                          "suite.toml");
  keep_only(plan, "exponential");
  ASSERT_EQ(plan.claims.size(), 1u);
  EXPECT_NE(plan.claims[0].that.find("exponential"), std::string::npos);
}

TEST(ClaimsOfASuite, ThoseThatComeWithTheProgramAreGood) {
  for (const char* name : {"claims", "queues"}) {
    const Plan plan =
        load_suite(std::string(PRECIPICE_SOURCE_DIR "/workloads/suites/") + name + ".toml");
    EXPECT_GE(plan.claims.size(), 10u) << name;
    EXPECT_EQ(parse_suite(to_toml(plan), "resolved.toml").claims.size(), plan.claims.size());
  }
}

class Check : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "precipice-check-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  int command(const std::string& arguments) const {
    const int status = std::system(("cd " + directory_ + " && " + PRECIPICE_BINARY " " + arguments +
                                    " >out.txt 2>err.txt </dev/null")
                                       .c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(directory_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Measures the queues with these claims and checks them.
  int checked(const std::string& claims) const {
    std::ofstream(directory_ + "/q.toml") << kQueues << claims;
    std::filesystem::remove_all(directory_ + "/results");
    EXPECT_EQ(command("run q.toml --out results"), 0) << text_of("err.txt");
    return command("check results/q");
  }

  std::string directory_;
};

const std::string kHolds = claim("saturation(oracle.service=fixed, empty) > 900/s");
const std::string kFails = claim("saturation(oracle.service=fixed, empty) > 2k/s");
// It is 539.5/s.
const std::string kUndecided = claim("cliff(oracle.service=exponential, empty) > 540/s");

TEST_F(Check, ExitsAsDocumented) {
  EXPECT_EQ(checked(kHolds), 0) << text_of("err.txt");
  EXPECT_NE(text_of("out.txt").find("holds: so: saturation "), std::string::npos)
      << text_of("out.txt");
  EXPECT_EQ(command("check results/q --json"), 0);
  const auto json = nlohmann::json::parse(text_of("out.txt"));
  EXPECT_EQ(json.at("claims").at(0).at("outcome"), "holds");
  EXPECT_GT(json.at("claims").at(0).at("low").get<double>(), 900);

  EXPECT_EQ(checked(kHolds + kUndecided), 3) << text_of("out.txt");
  EXPECT_EQ(checked(kHolds + kUndecided + kFails), 1) << "one that fails goes first";

  EXPECT_EQ(checked(""), 2);
  EXPECT_NE(text_of("err.txt").find("makes no claim"), std::string::npos) << text_of("err.txt");
  EXPECT_EQ(command("check nowhere"), 2);
}

TEST_F(Check, SaysWhatThisMachineLacks) {
  ASSERT_EQ(checked(kHolds), 0);
  namespace fs = std::filesystem;
  std::string run;
  for (const auto& entry : fs::directory_iterator(directory_ + "/results/q")) {
    if (entry.is_directory() && fs::exists(entry.path() / "manifest.json")) run = entry.path();
  }
  // As a run leaves it whose fixed queue could not be started: no trial, and why in the summary.
  std::ifstream journal(run + "/journal.jsonl");
  std::string kept;
  for (std::string line; std::getline(journal, line);) {
    if (line.find("service=fixed") == std::string::npos) kept += line + '\n';
  }
  journal.close();
  std::ofstream(run + "/journal.jsonl") << kept;
  std::ifstream file(run + "/summary.json");
  auto summary = nlohmann::json::parse(file);
  for (auto& cell : summary.at("cells")) {
    if (cell.at("series").get<std::string>().find("service=fixed") != std::string::npos)
      cell["failure"] = "no such kernel feature";
  }
  std::ofstream(run + "/summary.json") << summary.dump();
  EXPECT_EQ(command("check " + run), 4) << text_of("out.txt") << text_of("err.txt");
  EXPECT_NE(text_of("out.txt").find("no such kernel feature"), std::string::npos)
      << text_of("out.txt");
}

}  // namespace
}  // namespace precipice
