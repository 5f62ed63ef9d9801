// One comparison of two cells as a test, the verdicts on a family of them, and the groups that
// follow. The arithmetic under comparison.hpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/block_series.hpp"
#include "harness/comparison.hpp"
#include "harness/paired.hpp"

namespace precipice {

/// One cell's figure.
struct PairSide {
  Estimate estimate;  ///< of all blocks, with how it was censored
  BlockSeries series;
  std::map<int, double> adjust;  ///< added to a block's logarithm; empty: 0
  int blocks = 0;                ///< that the figure rests on
  double window_s = 1;
  /// Of the logarithm, from the estimate's own interval; 0: only the scatter of the blocks counts.
  double least_error = 0;
  std::string failure;  ///< why the cell was not measured, or ""
};

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
/// Holm over all tests that have a p-value; fills intervals and verdicts. Returns their number.
int decide(std::vector<PairedTest>& tests, const ComparisonOptions& options);

/// What two runs of this one cell could tell apart; NaN when no two blocks say.
double detectable_alone(const PairSide& side);

/// From rows and pairs: the ratios to the first row, the letters and the detectable difference.
void finish_ranking(Ranking& ranking);

}  // namespace precipice
