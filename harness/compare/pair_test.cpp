#include "harness/compare/pair_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/format.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

bool has_series(const PairSide& side) {
  return side.failure.empty() && side.estimate.reached == Reached::ok && !side.series.empty();
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

void take_mean(PairedTest& test, const std::vector<double>& differences, double floor,
               const ComparisonOptions& options) {
  test.mean = paired_mean(differences, floor, options.between_runs);
  test.comparison.blocks = test.mean.blocks;
  test.comparison.scatter = test.mean.blocks > 1 ? test.mean.scatter : kNaN;
  const double d = detectable(test.mean.scatter, test.mean.blocks);
  test.comparison.detectable = std::isfinite(d) ? std::expm1(d) : kNaN;
}

void by_ratio(const PairSide& a, const PairSide& b, const ComparisonOptions& options,
              PairedTest& test) {
  std::vector<double> differences;
  for (const auto& [block, log_a] : a.series) {
    const auto other = b.series.find(block);
    if (other == b.series.end()) continue;
    differences.push_back(other->second + adjust_of(b, block) - log_a - adjust_of(a, block));
  }
  Comparison& c = test.comparison;
  if (differences.empty()) {
    c.remark = "no block has both";
    return;
  }
  take_mean(test, differences, std::hypot(least_scatter(a), least_scatter(b)), options);
  test.mean.error = std::max(test.mean.error, std::hypot(a.least_error, b.least_error));
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
  take_mean(test, differences, least_scatter(measured), options);
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

Difference named(Difference verdict, int blocks) {
  const bool winner = verdict == Difference::a_higher || verdict == Difference::b_higher;
  return winner && blocks < kBlocksForAWinner ? Difference::too_few_blocks : verdict;
}

void settle(PairedTest& test, double alpha, double margin, double family_alpha) {
  Comparison& c = test.comparison;
  if (test.kind == PairedTest::Kind::ratio) {
    const auto [low, high] = interval(test.mean, alpha);
    const auto [low95, high95] = interval(test.mean, family_alpha);
    c.low = std::exp(low);
    c.high = std::exp(high);
    c.low95 = std::exp(low95);
    c.high95 = std::exp(high95);
    if (test.mean.blocks < 2) {
      c.low = c.high = c.low95 = c.high95 = kNaN;
      c.verdict = Difference::too_few_blocks;
      c.remark = "one block: its scatter is not known";
      return;
    }
    c.verdict = named(verdict_of(low, high, margin), c.blocks);
    return;
  }
  const bool decides = c.p_holm <= family_alpha;
  const Difference winner = test.sign > 0 ? Difference::b_higher : Difference::a_higher;
  c.verdict = decides ? named(winner, c.blocks) : Difference::undecided;
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
  if (has_series(a) && has_series(b)) {
    by_ratio(a, b, options, test);
    return test;
  }
  for (const auto& [name, side] : {std::pair{"A", &a}, std::pair{"B", &b}}) {
    if (has_series(*side) || has_bound(*side)) continue;
    c.remark += (c.remark.empty() ? "" : "; ") + why_absent(name, *side);
  }
  if (!c.remark.empty()) return test;
  c.remark = known("A", a) + ", " + known("B", b);
  c.verdict = Difference::undecided;
  if (has_series(a)) {
    by_bound(a, b, 1, options, test);
  } else if (has_series(b)) {
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

int decide(std::vector<PairedTest>& tests, const ComparisonOptions& options) {
  const double margin = std::log1p(options.min_effect);
  std::vector<double> p;
  std::vector<PairedTest*> family;
  for (PairedTest& test : tests) {
    test.comparison.p = p_of(test, margin);
    if (std::isnan(test.comparison.p)) continue;
    p.push_back(test.comparison.p);
    family.push_back(&test);
  }
  const Holm corrected = holm(p, options.alpha);
  for (std::size_t i = 0; i < family.size(); ++i) {
    family[i]->comparison.p_holm = corrected.adjusted[i];
    settle(*family[i], corrected.alpha[i], margin, options.alpha);
  }
  return static_cast<int>(family.size());
}

double detectable_alone(const PairSide& side) {
  if (!has_series(side) || side.series.size() < 2) return kNaN;
  std::vector<double> values;
  for (const auto& [block, value] : side.series) values.push_back(value);
  const double scatter = std::max(standard_deviation(values), least_scatter(side));
  return std::expm1(detectable(std::sqrt(2.0) * scatter, static_cast<int>(values.size())));
}

}  // namespace precipice
