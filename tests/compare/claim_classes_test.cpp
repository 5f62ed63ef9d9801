// Claims about classes of requests, and about loads at which requests are lost.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/class_points.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/compare/claim_verdict.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// M/M/1 of 1,000/s with two classes, of which the first responds in half of the queue's mean and
/// the second in five times of it. Past 700/s a tenth of the second class is lost.
struct Queue {
  bool cut_off = false;  ///< responses past 700/s are cut off where their p90 lies
  std::vector<double> rates = {100, 300, 400, 500, 600, 700, 800, 900};
};

constexpr double kLostOfSecond = 0.1, kShareOfSecond = 0.2;

Percentiles exponential_of(double mean_ns) {
  const auto at = [&](double beyond) {
    return static_cast<std::int64_t>(-mean_ns * std::log(beyond));
  };
  return {.mean = mean_ns,
          .p50 = at(0.5),
          .p90 = at(0.1),
          .p95 = at(0.05),
          .p99 = at(0.01),
          .p999 = at(0.001),
          .max = at(0.00001),
          .known = true};
}

Record record_of(const Queue& queue, double rate, int block) {
  Record record;
  record.block = block;
  record.used = true;
  Trial& trial = record.trial;
  trial.valid = trial.stable = true;
  trial.request.rate_per_s = rate;
  trial.request.window = std::chrono::seconds(100);
  const double mean_ns = 1e9 / (1000 - rate) * (1 + 0.002 * block);
  const bool loses = rate > 700;
  trial.counts.scheduled = 100'000;
  trial.counts.shed = loses ? 2'000 : 0;
  trial.goodput_per_s = rate * (loses ? 1 - kLostOfSecond * kShareOfSecond : 1);
  trial.response = exponential_of(mean_ns);
  trial.slo_percentile_ns = trial.response.p99;
  for (int i = 0; i < 1000; ++i) {
    trial.response_histogram.record(
        static_cast<std::int64_t>(-mean_ns * std::log(1 - (i + 0.5) / 1000)));
  }
  if (loses && queue.cut_off) trial.response_bound_from_ns = trial.response.p90;
  for (const auto& [name, times, share] :
       {std::tuple("live", 0.5, 1 - kShareOfSecond), std::tuple("batch", 5.0, kShareOfSecond)}) {
    ClassFigures& figures = trial.classes.emplace_back();
    figures.name = name;
    figures.requests = static_cast<std::uint64_t>(share * 100'000);
    figures.completed = static_cast<std::uint64_t>(
        share * 100'000 * (loses && figures.name == "batch" ? 1 - kLostOfSecond : 1));
    figures.response = exponential_of(times * mean_ns);
    figures.slo_percentile_ns = figures.response.p99;
  }
  return record;
}

std::vector<RequestClass> classes() {
  return {{.name = "live", .share = 1 - kShareOfSecond, .slo = std::chrono::milliseconds(5)},
          {.name = "batch", .share = kShareOfSecond, .slo = {}}};
}

CellSummary cell_of(const Queue& queue) {
  CellSummary cell;
  cell.model = parse_spec("oracle", "series");
  cell.workload = parse_spec("empty", "workload");
  cell.slo_ns = 100e6;
  cell.service_time_ns = 1e6;
  for (const double rate : queue.rates) {
    for (int block = 0; block < 3; ++block) {
      cell.points.push_back(record_of(queue, rate, block));
      cell.evidence.push_back(point_of(cell.points.back()));
    }
  }
  cell.trials = static_cast<int>(cell.evidence.size());
  cell.options.slo_ns = cell.slo_ns;
  cell.options.bootstrap = 100;
  cell.result = analyse(cell.evidence, cell.options);
  for (std::size_t i = 0; i < 2; ++i) {
    const double slo_ns = i == 0 ? 5e6 : cell.slo_ns;
    const CellResult result =
        analyse(points_of_class(cell.points, i), options_of_class(cell.options, slo_ns));
    cell.classes.push_back({classes()[i].name, slo_ns, result.cliff});
  }
  return cell;
}

ClaimVerdict verdict_on(const std::string& that, const Queue& queue = {}) {
  Plan plan;
  plan.classes = classes();
  CampaignResult run;
  run.cells.push_back(cell_of(queue));
  plan.models.push_back(run.cells.front().model);
  plan.workloads.push_back(run.cells.front().workload);
  plan.claims.push_back({"it is so", that});
  return judge_claims(plan, run).front();
}
ClaimOutcome outcome_of(const std::string& that, const Queue& queue = {}) {
  return verdict_on(that, queue).outcome;
}

TEST(ClaimClasses, EachHasItsResponses) {
  for (const char* that :
       {"mean(oracle, empty, 500/s, live) within 3% of 1ms",
        "mean(oracle, empty, 500/s, batch) within 3% of 10ms",
        "p50(oracle, empty, 500/s, live) within 3% of 0.693ms",
        "p90(oracle, empty, 500/s, batch) within 3% of 23.03ms",
        "p99(oracle, empty, 500/s, live) within 3% of 4.605ms",
        "p999(oracle, empty, 500/s, live) within 3% of 6.908ms",
        "p99(oracle, empty, 500/s, batch) within 1% of 10 * p99(oracle, empty, 500/s, live)"}) {
    const ClaimVerdict verdict = verdict_on(that);
    EXPECT_EQ(verdict.outcome, ClaimOutcome::holds) << sentence(verdict);
  }
  EXPECT_EQ(outcome_of("p99(oracle, empty, 500/s, live) > 5ms"), ClaimOutcome::fails);
  const std::string numbers =
      verdict_on("p99(oracle, empty, 500/s, live) < p99(oracle, empty, 500/s, batch)").numbers;
  EXPECT_NE(numbers.find("p99 of live at 500/s"), std::string::npos) << numbers;
}

TEST(ClaimClasses, EachHasItsCliffAndItsBound) {
  // p99 of `live` is ln 100 / 2 / (1000 - rate), so 5 ms is its bound at 539.5/s.
  EXPECT_EQ(outcome_of("cliff(oracle, empty, live) within 5% of 540/s"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("slo(oracle, empty, live) <= 5ms"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("slo(oracle, empty, batch) >= 100ms"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("slo(oracle, empty) >= 100ms"), ClaimOutcome::holds);
}

TEST(ClaimClasses, EachHasItsLoss) {
  EXPECT_EQ(outcome_of("loss(oracle, empty, 800/s, batch) within 1% of 0.1"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("loss(oracle, empty, 800/s, live) < 0.1%"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("loss(oracle, empty, 800/s) within 1% of 0.02"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("loss(oracle, empty, 800/s) < 1%"), ClaimOutcome::fails);
  EXPECT_EQ(outcome_of("loss(oracle, empty, 500/s) < 0.1%"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("loss(oracle, empty, 750/s) < 1%"), ClaimOutcome::undecided)
      << "between 0 and 2%";
}

TEST(ClaimClasses, AreRefusedWhereTheSuiteHasNone) {
  EXPECT_THROW(verdict_on("p99(oracle, empty, 500/s, love) > 5ms"), UsageError);
  try {
    verdict_on("p99(oracle, empty, 500/s, love) > 5ms");
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'live'"), std::string::npos)
        << error.what();
  }
}

TEST(ClaimGoodput, IsAskedAtALoad) {
  EXPECT_EQ(outcome_of("goodput(oracle, empty, 500/s) within 1% of 500/s"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("goodput(oracle, empty, 900/s) within 1% of 0.98 * 900/s"),
            ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("goodput(oracle, empty, 450/s) within 1% of 450/s"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("goodput(oracle, empty, 5000/s) > 1/s"), ClaimOutcome::undecided);
}

TEST(ClaimResponses, AreOfWhatWasAnsweredWhereRequestsAreLost) {
  EXPECT_EQ(outcome_of("p99(oracle, empty, 800/s) within 3% of 23.2ms"), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("p99(oracle, empty, 800/s) > 50ms"), ClaimOutcome::fails);
  EXPECT_EQ(outcome_of("mean(oracle, empty, 800/s) within 3% of 5ms"), ClaimOutcome::holds);
}

TEST(ClaimResponses, AreLowerBoundsWhereTheDrainCutThemOff) {
  const Queue cut_off{.cut_off = true};
  EXPECT_EQ(outcome_of("p99(oracle, empty, 800/s) > 20ms", cut_off), ClaimOutcome::holds);
  EXPECT_EQ(outcome_of("p99(oracle, empty, 800/s) < 50ms", cut_off), ClaimOutcome::undecided);
  EXPECT_EQ(outcome_of("mean(oracle, empty, 800/s) < 50ms", cut_off), ClaimOutcome::undecided);
  EXPECT_EQ(outcome_of("p99(oracle, empty, 800/s, batch) < 1h", cut_off), ClaimOutcome::undecided);
  EXPECT_EQ(outcome_of("p50(oracle, empty, 800/s) < 5ms", cut_off), ClaimOutcome::holds)
      << "what is shorter than all that was cut off is known";
  EXPECT_EQ(outcome_of("p99(oracle, empty, 500/s) < 50ms", cut_off), ClaimOutcome::holds);
}

}  // namespace
}  // namespace precipice
