// One comparison of two cells as a test, and the verdicts on a family of them. The arithmetic
// under comparison.hpp and ranking.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/compare/pair_side.hpp"
#include "harness/compare/pair_types.hpp"
#include "harness/stats/paired_t.hpp"

namespace precipice {

/// A comparison before its verdict, which depends on the whole family.
struct PairedTest {
  Comparison comparison;
  PairedMean mean;
  /// What p is of. `bound`: one side is known by a bound only, which may decide in one direction,
  /// `sign` (1: B higher). `certain`: two bounds that decide without any scatter.
  enum class Kind { none, ratio, bound, certain } kind = Kind::none;
  int sign = 0;
};

PairedTest pair_up(const PairSide& a, const PairSide& b, const ComparisonOptions& options);
/// Takes a test out of the family, with the reason.
void refuse(PairedTest& test, const std::string& why);
/// Holm over each family (`family`: one number a test, those of one question alike), and over all
/// tests for p_holm_run; fills intervals and verdicts. Returns how many tests have a p-value.
int decide(std::vector<PairedTest>& tests, const std::vector<std::size_t>& family,
           const ComparisonOptions& options);

/// What two runs of this one cell could tell apart; NaN when no two blocks say.
double detectable_alone(const PairSide& side);

}  // namespace precipice
