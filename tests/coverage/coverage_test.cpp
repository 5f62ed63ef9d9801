// The short form of the coverage study: docs/coverage.md has the long one.
#include "tests/coverage/coverage.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "tests/coverage/comparisons.hpp"

namespace precipice::coverage {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSearches = 4;
#else
constexpr int kSearches = 40;
#endif

const Plan& plan_of(const std::string& name) {
  for (const Size& size : sizes()) {
    if (size.name == name) return size.plan;
  }
  throw std::logic_error("no such size");
}

TEST(QueueTruth, AgreesWithTheClosedForms) {
  const QueueTruth one = mmc(1);
  EXPECT_NEAR(true_cliff(one, 10), 1 - std::log(100.0) / 10, 1e-9);
  EXPECT_NEAR(true_knee(one), 0.5, 1e-6);
  const QueueTruth fixed = mg1({{1, 1}}, 1);
  // Erlang's sum for fixed service, at the p99 and the p99.9 of load 0.5.
  EXPECT_NEAR(fixed.tail(0.5, 4.33), 0.01007937283, 2e-7);
  EXPECT_NEAR(fixed.tail(0.5, 6.16), 0.00101059443, 2e-7);
  EXPECT_NEAR(true_knee(fixed), 1 / (1 + std::sqrt(0.5)), 1e-6);
  EXPECT_NEAR(true_cliff(random_split(2), 10), 2 * true_cliff(one, 10), 1e-9);
  // Room enough is no limit; the mean of a shared processor is that of a queue.
  EXPECT_NEAR(true_cliff(mm1k(200), 10), true_cliff(one, 10), 1e-6);
  EXPECT_GT(mm1_sharing().tail(0.5, 10), one.tail(0.5, 10));
}

/// The fewest of so many intervals of 95% that hold the truth, but for once in 2,000 times by
/// chance (binomial). The seeds are fixed, so that an estimator either reaches it or does not.
int fewest_covered(int intervals) {
  constexpr double kByChance = 5e-4;
  double exactly = std::pow(0.05, intervals), at_most = exactly;
  int covered = 0;
  while (at_most < kByChance) {
    exactly *= static_cast<double>(intervals - covered) / (covered + 1) * 0.95 / 0.05;
    at_most += exactly;
    ++covered;
  }
  return covered;
}

TEST(Coverage, FewestCoveredIsABinomialQuantile) {
  EXPECT_EQ(fewest_covered(4), 2);  // one or none: 4.8e-4
  EXPECT_EQ(fewest_covered(1), 0);
  EXPECT_EQ(fewest_covered(40), 32);
}

TEST(Coverage, IntervalsHoldTheTruthAtTheSizeOfAStandardSuite) {
  for (const Queue& queue : queues()) {
    const Tallies tallies = study(queue, plan_of("standard"), kSearches, 1, 2);
    EXPECT_GE(tallies[0].covered, fewest_covered(kSearches)) << queue.name << " cliff";
    EXPECT_GE(tallies[3].covered, fewest_covered(kSearches)) << queue.name << " saturation";
    EXPECT_LT(std::abs(tallies[0].bias()), 0.02 + 0.2 / std::sqrt(kSearches)) << queue.name;
    EXPECT_LT(std::abs(tallies[3].bias()), 0.01 + 0.05 / std::sqrt(kSearches)) << queue.name;
    EXPECT_GE(tallies[0].measured, kSearches * 3 / 5) << queue.name;
    // An interval that is always right by being endless says nothing. Bimodal service without a
    // twin has 24% at this size.
    EXPECT_LT(tallies[0].half_width(), 0.3) << queue.name;
  }
}

/// Small suites often end just short of the cliff, or just past it; such an answer is an interval
/// too.
TEST(Coverage, CensoredAnswersOfAQuickSuiteHoldTheTruthToo) {
  for (const Queue& queue : queues()) {
    const int searches = 3 * kSearches;
    const Tallies tallies = study(queue, plan_of("quick"), searches, 1, 2);
    EXPECT_GE(tallies[0].covered, fewest_covered(searches)) << queue.name << " cliff";
    EXPECT_GE(tallies[3].covered, fewest_covered(searches)) << queue.name << " saturation";
    EXPECT_GE(tallies[0].measured, searches * 3 / 10) << queue.name;
  }
}

Plan with_twins(const std::string& size) {
  Plan plan = plan_of(size);
  plan.oracle_twin = TwinError{.slower = 1.03, .scatter = 0.05};
  return plan;
}

/// Twins that are 3% too fast and scatter: the intervals are a third as wide, and still hold.
TEST(Coverage, OfTwinsHoldsInAThirdOfTheWidth) {
  struct Bar {
    const char* queue;
    double half_width;
  };
  for (const Bar bar : {Bar{"M/M/1", 0.07}, Bar{"M/D/1", 0.04}, Bar{"M/M/2", 0.05}}) {
    for (const Queue& queue : queues()) {
      if (queue.name != bar.queue) continue;
      const int searches = 2 * kSearches;
      const Tallies tallies = study(queue, with_twins("quick"), searches, 1, 2);
      EXPECT_GE(tallies[0].covered, fewest_covered(searches)) << queue.name;
      EXPECT_GE(tallies[3].covered, fewest_covered(searches)) << queue.name;
      EXPECT_LT(tallies[0].half_width(), bar.half_width * (1 + 1 / std::sqrt(searches)))
          << queue.name;
      EXPECT_LT(std::abs(tallies[0].bias()), 0.01 + 0.05 / std::sqrt(searches)) << queue.name;
    }
  }
}

/// A queue of another kind than the twin has: nothing may be lost but precision.
TEST(Coverage, OfTwinsThatDoNotFitHoldsToo) {
  for (const Queue& queue : queues()) {
    if (queue.name != "random split" && queue.name != "M/M/1/8") continue;
    const int searches = 2 * kSearches;
    const Tallies tallies = study(queue, with_twins("quick"), searches, 1, 2);
    EXPECT_GE(tallies[0].covered, fewest_covered(searches)) << queue.name;
  }
}

/// Seed 42 measures the cliff of M/D/1 at 115% of its 773.5/s in three windows of 500 requests.
TEST(Coverage, TwinsKnowTheLuckOfASeed) {
  for (const Queue& queue : queues()) {
    if (queue.name != "M/D/1") continue;
    Plan plan = with_twins("quick");
    plan.window = std::chrono::milliseconds(500);
    EXPECT_NEAR(search(queue, plan, 42).cliff.value, 773.5, 0.05 * 773.5);
  }
}

TEST(Coverage, IsTheSameWhateverTheNumberOfThreads) {
  const Tallies one = study(queues().front(), plan_of("quick"), 3, 9, 1);
  const Tallies two = study(queues().front(), plan_of("quick"), 3, 9, 2);
  EXPECT_EQ(one[0].sum, two[0].sum);
  EXPECT_EQ(one[3].widths, two[3].widths);
}

TEST(Comparisons, OfEqualQueuesSeldomTellTwoApart) {
  for (const Queue& queue : queues()) {
    if (queue.name != "M/D/1") continue;
    const ComparisonTally tally = compare_equals(
        queue, plan_of("quick"), {.models = 3, .difference = 0.5, .families = kSearches / 2})[0];
    // Of 20, 5% are one; six or more have a probability of 0.03%.
    EXPECT_LE(tally.alarms, 5);
    EXPECT_GE(tally.found, tally.families * 9 / 10);
    EXPECT_EQ(tally.pairs, 3 * tally.families);
  }
}

TEST(Comparisons, FindMoreInFurtherBlocksAndTellNoMoreEqualsApart) {
  for (const Queue& queue : queues()) {
    if (queue.name != "M/D/1") continue;
    ComparisonStudy study{.models = 2, .difference = 0.08, .families = kSearches / 4};
    const ComparisonTally once = compare_equals(queue, plan_of("quick"), study)[0];
    study.further_blocks = 6;
    const ComparisonTally further = compare_equals(queue, plan_of("quick"), study)[0];
    EXPECT_GT(further.found, once.found);
    EXPECT_GT(further.blocks_of_pairs, once.blocks_of_pairs);
    EXPECT_LE(further.blocks_of_pairs, 2 * 9 * study.families);
    EXPECT_LE(further.alarms, 3);
  }
}

}  // namespace
}  // namespace precipice::coverage
