#include "harness/compare/pair_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "harness/compare/pair_side.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

/// Any figure that a cell may have, around 1000 per second.
PairSide any_side(Random& random) {
  PairSide side;
  Estimate& e = side.estimate;
  const double centre = 1000 * std::exp(0.3 * (random.uniform() - 0.5));
  const double width = 0.2 * random.uniform() * random.uniform();
  e.value = centre;
  e.low = centre * std::exp(-width * random.uniform_positive());
  e.high = centre * std::exp(width * random.uniform_positive());
  e.reached = Reached::ok;
  if (random.below(12) == 0) {
    e.reached = random.below(2) == 0 ? Reached::above : Reached::below;
    e.low = e.reached == Reached::above ? e.value : 0;
    e.high = e.reached == Reached::above ? kInfinity : e.value;
  }
  side.blocks = 1 + static_cast<int>(random.below(9));
  side.of_all_blocks = random.below(2) == 0;
  if (random.below(3) > 0)
    side.known = {0.1 * random.uniform_positive(), 1 + static_cast<double>(random.below(12))};
  if (random.below(4) == 0) side.least_error = 0.02 * random.uniform();
  const double scatter = 0.2 * random.uniform();
  if (e.reached == Reached::ok && random.below(8) > 0) {
    for (int block = 0; block < side.blocks; ++block)
      side.series[block] = std::log(centre) + scatter * (random.uniform() - 0.5);
  }
  return side;
}

bool disjoint(const Estimate& a, const Estimate& b) { return a.high < b.low || b.high < a.low; }

TEST(PairTest, ShownIntervalsAndVerdictsAgree) {
  Random random(20'261'129);
  int apart = 0, alike = 0, gaps = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<PairSide> sides;
    for (std::size_t i = 0; i < 2 + random.below(4); ++i) sides.push_back(any_side(random));
    ComparisonOptions options;
    std::vector<PairedTest> tests;
    std::vector<std::size_t> family;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      for (std::size_t j = i + 1; j < sides.size(); ++j) {
        tests.push_back(pair_up(sides[i], sides[j], options));
        family.push_back(random.below(2));
      }
    }
    decide(tests, family, options);
    std::size_t next = 0;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      for (std::size_t j = i + 1; j < sides.size(); ++j) {
        const Comparison& c = tests[next++].comparison;
        const std::string where = std::to_string(round) + " " + to_string(c.verdict);
        const bool higher = c.verdict == Difference::a_higher || c.verdict == Difference::b_higher;
        const Estimate &a = sides[i].estimate, &b = sides[j].estimate;
        if (disjoint(a, b)) {
          ++gaps;
          EXPECT_NE(c.verdict, Difference::indistinguishable) << where;
        }
        if (std::isfinite(c.low) && std::isfinite(c.high)) {
          const bool holds_one = c.low <= 1 && 1 <= c.high;
          EXPECT_LE(c.low, c.ratio * (1 + 1e-9)) << where;
          EXPECT_GE(c.high, c.ratio * (1 - 1e-9)) << where;
          EXPECT_FALSE(holds_one && higher) << where;
          EXPECT_TRUE(holds_one || c.verdict != Difference::indistinguishable) << where;
          EXPECT_TRUE(c.verdict != Difference::b_higher || c.low > 1) << where;
          EXPECT_TRUE(c.verdict != Difference::a_higher || c.high < 1) << where;
        }
        EXPECT_TRUE(std::isnan(c.p) || c.p_holm_run >= c.p_holm - 1e-12) << where;
        apart += higher;
        alike += c.verdict == Difference::indistinguishable;
      }
    }
  }
  EXPECT_GT(apart, 1000);
  EXPECT_GT(alike, 1000);
  EXPECT_GT(gaps, 1000);
}

/// A normal figure whose blocks scatter by 5%, and whose scatter is known to `known` degrees of
/// freedom besides, 0 for none.
PairSide normal_side(Random& random, double mean, int blocks, double known) {
  constexpr double kScatter = 0.05;
  PairSide side;
  std::vector<double> logs;
  double sum = 0;
  for (int block = 0; block < blocks; ++block) {
    logs.push_back(mean + kScatter * testing::gaussian(random));
    side.series[block] = logs.back();
    sum += logs.back();
  }
  const double own = blocks - 1, n = blocks, centre = sum / n;
  double squares = 0;  // chi-squared, over its degrees
  for (int i = 0; i < static_cast<int>(known); ++i)
    squares += std::pow(kScatter * testing::gaussian(random), 2) / n;
  const double by_blocks = std::pow(standard_deviation(logs), 2) / n;
  const double deviation = std::sqrt((squares + own * by_blocks) / (known + own));
  const double half = student_t(0.975, known + own) * deviation;
  side.estimate = {.value = std::exp(centre),
                   .low = std::exp(centre - half),
                   .high = std::exp(centre + half),
                   .reached = Reached::ok};
  side.of_all_blocks = true;
  side.blocks = blocks;
  if (known > 0) side.known = {deviation, known};
  return side;
}

struct Rates {
  int alarms = 0, found = 0;
};

/// Of families of equal figures, and of pairs of which one is 15% higher.
Rates simulate(int families, std::size_t models, int blocks, double known) {
  Random random(17);
  Rates rates;
  const auto apart = [](const PairedTest& test) {
    return test.comparison.verdict == Difference::a_higher ||
           test.comparison.verdict == Difference::b_higher;
  };
  for (int i = 0; i < families; ++i) {
    std::vector<PairSide> sides;
    for (std::size_t k = 0; k < models; ++k) sides.push_back(normal_side(random, 7, blocks, known));
    std::vector<PairedTest> tests;
    for (std::size_t k = 0; k < models; ++k) {
      for (std::size_t l = k + 1; l < models; ++l) tests.push_back(pair_up(sides[k], sides[l], {}));
    }
    decide(tests, std::vector<std::size_t>(tests.size(), 0), {});
    rates.alarms += std::any_of(tests.begin(), tests.end(), apart);
    std::vector<PairedTest> planted = {
        pair_up(sides[0], normal_side(random, 7 + std::log(1.15), blocks, known), {})};
    decide(planted, {0}, {});
    rates.found += planted[0].comparison.verdict == Difference::b_higher;
  }
  return rates;
}

TEST(PairTest, FamiliesOfEqualFiguresStayWithinTheirLevel) {
  constexpr int kFamilies = 400;
  // 5% are 20, their standard deviation 4.4; independent figures, which a run's are less than.
  EXPECT_LE(simulate(kFamilies, 5, 3, 4).alarms, 20 + 13);
  EXPECT_LE(simulate(kFamilies, 7, 4, 3).alarms, 20 + 13);
  EXPECT_LE(simulate(kFamilies, 5, 9, 2).alarms, 20 + 13);
  EXPECT_LE(simulate(kFamilies, 5, 4, 0).alarms, 20 + 13);
}

TEST(PairTest, WhatIsKnownBesidesFindsDifferencesThatBlocksAloneDoNot) {
  const int alone = simulate(300, 2, 3, 0).found, both = simulate(300, 2, 3, 4).found;
  EXPECT_GT(both, 300 * 0.75);
  EXPECT_LT(alone, 300 * 0.4);
}

TEST(PairTest, AFamilyIsOneQuestion) {
  Random random(3);
  std::vector<PairedTest> tests;
  std::vector<std::size_t> family;
  for (std::size_t i = 0; i < 6; ++i) {
    PairSide a, b;
    a.blocks = b.blocks = 9;
    for (PairSide* side : {&a, &b}) {
      side->estimate = {.value = 1000, .low = 900, .high = 1100, .reached = Reached::ok};
      for (int block = 0; block < 9; ++block)
        side->series[block] = 6.9 + 0.05 * random.uniform() + (side == &b ? 0.02 : 0);
    }
    tests.push_back(pair_up(a, b, {}));
    family.push_back(i / 3);
  }
  EXPECT_EQ(decide(tests, family, {}), 6);
  for (const PairedTest& test : tests) {
    EXPECT_LE(test.comparison.p_holm, 3 * test.comparison.p + 1e-12);
    EXPECT_LE(test.comparison.p_holm, test.comparison.p_holm_run);
  }
}

}  // namespace
}  // namespace precipice
