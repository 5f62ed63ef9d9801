#include "harness/compare/pair_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/format.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

bool is_measured(const PairSide& side) {
  return side.failure.empty() && side.estimate.reached == Reached::ok &&
         (!side.series.empty() || side.known.degrees > 0);
}
bool has_bound(const PairSide& side) {
  return side.failure.empty() && side.estimate.value > 0 &&
         (side.estimate.reached == Reached::above || side.estimate.reached == Reached::below);
}

double adjust_of(const PairSide& side, int block) {
  const auto found = side.adjust.find(block);
  return found == side.adjust.end() ? 0 : found->second;
}
double mean_adjust(const PairSide& side) {
  double sum = 0;
  for (const auto& [block, value] : side.adjust) sum += value;
  return side.adjust.empty() ? 0 : sum / static_cast<double>(side.adjust.size());
}

/// Requests are counted whole, and one at either end of the window is in or out by chance.
double least_scatter(const PairSide& side) {
  const double requests = side.estimate.value * side.window_s;
  return requests > 0 ? 1 / requests : 0;
}

std::string known(const char* name, const PairSide& side) {
  const Estimate& e = side.estimate;
  if (e.reached == Reached::above)
    return fmt::format("{} is {} or more", name, short_rate(e.value));
  if (e.reached == Reached::below) return fmt::format("{} is below {}", name, short_rate(e.value));
  return fmt::format("{} is {}", name, short_rate(e.value));
}

std::string why_absent(const char* name, const PairSide& side) {
  if (!side.failure.empty()) return fmt::format("{} was not measured: {}", name, side.failure);
  if (side.estimate.reached == Reached::ok)
    return fmt::format("{} is known as a bound only without some of its blocks", name);
  return fmt::format("{} has no valid points", name);
}

/// The error from the blocks, from what is known besides, and its floor.
void take_error(PairedTest& test, const Deviation& besides, double least,
                const ComparisonOptions& options) {
  Deviation known = besides;
  known.value = std::hypot(known.value, std::sqrt(2.0) * options.between_runs);
  test.mean = pooled(test.mean, known);
  test.mean.error = std::max(test.mean.error, least);
  Comparison& c = test.comparison;
  c.blocks = test.mean.blocks;
  c.scatter = test.mean.blocks > 1 ? test.mean.scatter : kNaN;
  c.degrees = test.mean.degrees > 0 ? test.mean.degrees : kNaN;
  const double d = detectable(test.mean.error, test.mean.degrees);
  c.detectable = std::isfinite(d) ? std::expm1(d) : kNaN;
}

/// Whether the sides' own intervals are disjoint. Rates at different speeds of the machine are not
/// held against each other.
bool disjoint(const PairSide& a, const PairSide& b) {
  if (!a.adjust.empty() || !b.adjust.empty()) return false;
  return a.estimate.high < b.estimate.low || b.estimate.high < a.estimate.low;
}

void by_ratio(const PairSide& a, const PairSide& b, const ComparisonOptions& options,
              PairedTest& test) {
  std::vector<double> differences;
  double adjusted = 0;
  for (const auto& [block, log_a] : a.series) {
    const auto other = b.series.find(block);
    if (other == b.series.end()) continue;
    const double by = adjust_of(b, block) - adjust_of(a, block);
    differences.push_back(other->second - log_a + by);
    adjusted += by;
  }
  Comparison& c = test.comparison;
  const Deviation known = combined(a.known, b.known);
  if (differences.empty() && !(known.degrees > 0)) {
    c.remark = "no block has both";
    return;
  }
  test.mean = paired_mean(differences, std::hypot(least_scatter(a), least_scatter(b)),
                          options.between_runs);
  if (a.of_all_blocks && b.of_all_blocks) {
    adjusted = differences.empty() ? mean_adjust(b) - mean_adjust(a)
                                   : adjusted / static_cast<double>(differences.size());
    test.mean.mean = std::log(b.estimate.value / a.estimate.value) + adjusted;
  }
  take_error(test, known, std::hypot(a.least_error, b.least_error), options);
  if (differences.empty()) c.blocks = std::min(a.blocks, b.blocks);
  c.disjoint = disjoint(a, b);
  test.kind = PairedTest::Kind::ratio;
  c.ratio = std::exp(test.mean.mean);
  // The logarithms of equal figures differ by rounding, in the fifteenth digit of numbers below
  // 100.
  constexpr double kRounding = 1e-12;
  c.order = std::abs(test.mean.mean) < kRounding ? "equal" : test.mean.mean > 0 ? "B" : "A";
}

/// One side is measured by blocks; of the other only a bound is known. `sign`: 1 when the bounded
/// side is B.
void by_bound(const PairSide& measured, const PairSide& bounded, int sign,
              const ComparisonOptions& options, PairedTest& test) {
  const bool at_least = bounded.estimate.reached == Reached::above;
  const double bound = std::log(bounded.estimate.value) + mean_adjust(bounded);
  std::vector<double> differences;  // of bounded to measured
  for (const auto& [block, value] : measured.series)
    differences.push_back(bound - value - adjust_of(measured, block));
  test.mean = paired_mean(differences, least_scatter(measured), options.between_runs);
  if (measured.of_all_blocks)
    test.mean.mean = bound - std::log(measured.estimate.value) - mean_adjust(measured);
  take_error(test, measured.known, measured.least_error, options);
  if (differences.empty()) test.comparison.blocks = measured.blocks;
  test.comparison.disjoint = disjoint(measured, bounded);
  test.kind = PairedTest::Kind::bound;
  test.sign = at_least ? sign : -sign;
  if (sign < 0) test.mean.mean = -test.mean.mean;
  const bool towards = test.mean.mean * test.sign > 0;
  if (towards) test.comparison.order = test.sign > 0 ? "B" : "A";
}

void by_two_bounds(const PairSide& a, const PairSide& b, const ComparisonOptions& options,
                   PairedTest& test) {
  if (a.estimate.reached == b.estimate.reached) return;
  const double difference =
      std::log(b.estimate.value) + mean_adjust(b) - std::log(a.estimate.value) - mean_adjust(a);
  const int sign = b.estimate.reached == Reached::above ? 1 : -1;
  test.comparison.blocks = std::min(a.blocks, b.blocks);
  if (difference * sign <= std::log1p(options.min_effect)) return;
  test.kind = PairedTest::Kind::certain;
  test.sign = sign;
  test.comparison.order = sign > 0 ? "B" : "A";
}

double p_of(const PairedTest& test, double margin) {
  switch (test.kind) {
    case PairedTest::Kind::none:
      return kNaN;
    case PairedTest::Kind::certain:
      return 0;
    case PairedTest::Kind::bound:
      return test.mean.mean * test.sign > 0 ? p_different(test.mean, margin) : 1;
    case PairedTest::Kind::ratio:
      break;
  }
  const double different = p_different(test.mean, margin);
  return margin > 0 ? std::min(different, p_equivalent(test.mean, margin)) : different;
}

Difference verdict_of(double low, double high, double margin) {
  if (low > margin) return Difference::b_higher;
  if (high < -margin) return Difference::a_higher;
  if (margin == 0) return Difference::indistinguishable;
  return low > -margin && high < margin ? Difference::no_relevant_difference
                                        : Difference::undecided;
}

bool enough(const PairedTest& test) {
  const Comparison& c = test.comparison;
  return c.blocks >= kLeastBlocks && (test.mean.degrees >= kLeastDegrees || c.disjoint);
}

/// The interval that is shown, and the verdict that is read off it.
void settle_ratio(PairedTest& test, double alpha, double margin, double family_alpha) {
  Comparison& c = test.comparison;
  if (c.blocks < kLeastBlocks) {
    c.verdict = Difference::too_few_blocks;
    c.remark = "one block: its scatter is not known";
    return;
  }
  const auto [low, high] = interval(test.mean, alpha);
  const auto [low95, high95] = interval(test.mean, family_alpha);
  c.low = std::exp(low);
  c.high = std::exp(high);
  c.low95 = std::exp(low95);
  c.high95 = std::exp(high95);
  c.verdict = verdict_of(low, high, margin);
  // Of many equal models, two have disjoint intervals by chance: that alone does not tell them
  // apart, but nor are they alike.
  if (c.verdict == Difference::indistinguishable && c.disjoint) c.verdict = Difference::undecided;
  if (!enough(test)) c.verdict = Difference::too_few_blocks;
}

void settle(PairedTest& test, double alpha, double margin, double family_alpha) {
  if (test.kind == PairedTest::Kind::ratio) {
    settle_ratio(test, alpha, margin, family_alpha);
    return;
  }
  Comparison& c = test.comparison;
  const bool decides = c.p_holm <= family_alpha;
  const bool few = test.kind == PairedTest::Kind::bound && !enough(test);
  const Difference winner = test.sign > 0 ? Difference::b_higher : Difference::a_higher;
  c.verdict = !decides ? Difference::undecided : few ? Difference::too_few_blocks : winner;
  c.remark += decides ? ": that alone decides" : ": that alone does not decide";
}

}  // namespace

const char* to_string(Difference verdict) {
  constexpr const char* names[] = {
      "A higher",  "B higher",       "indistinguishable", "no relevant difference",
      "undecided", "too few blocks", "not compared"};
  return names[static_cast<int>(verdict)];
}

PairedTest pair_up(const PairSide& a, const PairSide& b, const ComparisonOptions& options) {
  PairedTest test;
  Comparison& c = test.comparison;
  c.a = a.estimate;
  c.b = b.estimate;
  if (is_measured(a) && is_measured(b)) {
    by_ratio(a, b, options, test);
    return test;
  }
  for (const auto& [name, side] : {std::pair{"A", &a}, std::pair{"B", &b}}) {
    if (is_measured(*side) || has_bound(*side)) continue;
    c.remark += (c.remark.empty() ? "" : "; ") + why_absent(name, *side);
  }
  if (!c.remark.empty()) return test;
  c.remark = known("A", a) + ", " + known("B", b);
  c.verdict = Difference::undecided;
  if (is_measured(a)) {
    by_bound(a, b, 1, options, test);
  } else if (is_measured(b)) {
    by_bound(b, a, -1, options, test);
  } else {
    by_two_bounds(a, b, options, test);
    if (test.kind == PairedTest::Kind::none) c.remark += ": that alone does not decide";
  }
  return test;
}

void refuse(PairedTest& test, const std::string& why) {
  const Estimate a = test.comparison.a, b = test.comparison.b;
  const std::string figure = test.comparison.figure;
  test = PairedTest{};
  test.comparison.figure = figure;
  test.comparison.a = a;
  test.comparison.b = b;
  test.comparison.remark = why;
}

int decide(std::vector<PairedTest>& tests, const std::vector<std::size_t>& family,
           const ComparisonOptions& options) {
  const double margin = std::log1p(options.min_effect);
  std::map<std::size_t, std::vector<PairedTest*>> families;
  std::vector<PairedTest*> all;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    tests[i].comparison.p = p_of(tests[i], margin);
    if (std::isnan(tests[i].comparison.p)) continue;
    families[family[i]].push_back(&tests[i]);
    all.push_back(&tests[i]);
  }
  const auto corrected = [&](const std::vector<PairedTest*>& members) {
    std::vector<double> p;
    for (const PairedTest* each : members) p.push_back(each->comparison.p);
    return holm(p, options.alpha);
  };
  for (const auto& [number, members] : families) {
    const Holm of_family = corrected(members);
    for (std::size_t i = 0; i < members.size(); ++i) {
      members[i]->comparison.p_holm = of_family.adjusted[i];
      settle(*members[i], of_family.alpha[i], margin, options.alpha);
    }
  }
  const Holm of_run = corrected(all);
  for (std::size_t i = 0; i < all.size(); ++i) all[i]->comparison.p_holm_run = of_run.adjusted[i];
  return static_cast<int>(all.size());
}

double detectable_alone(const PairSide& side) {
  if (!is_measured(side) || side.series.size() < 2) return kNaN;
  std::vector<double> values;
  for (const auto& [block, value] : side.series) values.push_back(value);
  const double root = std::sqrt(2.0);
  PairedMean mean = paired_mean(values, least_scatter(side));
  mean.error *= root;
  mean = pooled(mean, {root * side.known.value, 2 * side.known.degrees});
  return std::expm1(detectable(std::max(mean.error, root * side.least_error), mean.degrees));
}

}  // namespace precipice
