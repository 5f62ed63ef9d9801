// One figure of two cells held against each other, and how the comparison ends.
#pragma once

#include <string>

#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

/// Below this many blocks no winner is named: with 10 pairs Holm cannot reject on less.
inline constexpr int kBlocksForAWinner = 9;

enum class Difference {
  a_higher,
  b_higher,
  indistinguishable,       ///< the interval of the ratio holds 1
  no_relevant_difference,  ///< the whole interval lies within the least effect that matters
  undecided,               ///< neither of these, or only a bound is known and does not decide
  too_few_blocks,          ///< the interval leaves out 1, but no winner is named
  not_compared,            ///< a side has no figure at all
};
/// "A higher", "no relevant difference", ...
const char* to_string(Difference verdict);

struct ComparisonOptions {
  double alpha = 0.05;    ///< of the whole family
  double min_effect = 0;  ///< least relative difference that matters, as 0.03; 0: any
  /// Relative standard deviation that all blocks of a run share and that two runs differ by without
  /// cause. Not visible in one run, so it comes from measured A/A pairs (docs/comparisons.md).
  double between_runs = 0;
};

/// One figure of two cells.
struct Comparison {
  std::string figure;  ///< "saturation" or "cliff", per second
  Estimate a, b;       ///< of each side by itself, not adjusted for the machine's speed
  int blocks = 0;      ///< pairs
  /// B / A by blocks, adjusted; NaN where a side is censored.
  double ratio = kNaN;
  double low = kNaN, high = kNaN;      ///< at the level at which Holm decided it
  double low95 = kNaN, high95 = kNaN;  ///< of this comparison alone
  double p = kNaN, p_holm = kNaN;      ///< NaN where there is nothing to test
  double scatter = kNaN;               ///< standard deviation of a block's log-ratio
  double detectable = kNaN;  ///< relative difference that is found in 80% of the attempts, at 5%
  Difference verdict = Difference::not_compared;
  std::string
      order;  ///< side whose estimate (or bound) is higher, "A" or "B", or "equal"; "" if unknown
  std::string remark;  ///< what is known of a censored figure, or why there is none
};

}  // namespace precipice
