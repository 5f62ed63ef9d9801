// One figure of two cells held against each other, and how the comparison ends.
#pragma once

#include <string>

#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

/// The least evidence that names a winner. One block shows nothing of what differs between blocks;
/// and with fewer than three degrees of freedom Student's t has no variance, so that an interval
/// rests on the normality of the tails alone; unless the two sides' own intervals are disjoint.
inline constexpr int kLeastBlocks = 2;
inline constexpr double kLeastDegrees = 3;

enum class Difference {
  a_higher,
  b_higher,
  indistinguishable,       ///< the interval of the ratio holds 1
  no_relevant_difference,  ///< the whole interval lies within the least effect that matters
  undecided,               ///< neither of these, or the interval holds 1 though the two sides' own
                           ///< are disjoint, or only a bound is known and does not decide
  too_few_blocks,          ///< less evidence than the least that names a winner
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
  /// B / A, adjusted: of the cliffs, and the mean over the blocks of the saturations. NaN where a
  /// side is censored.
  double ratio = kNaN;
  double low = kNaN, high = kNaN;      ///< at the level at which Holm decided it
  double low95 = kNaN, high95 = kNaN;  ///< of this comparison alone
  double p = kNaN, p_holm = kNaN;      ///< NaN where there is nothing to test
  double p_holm_run = kNaN;            ///< corrected for every comparison of the run
  double degrees = kNaN;               ///< of freedom, of what p and the intervals rest on
  double scatter = kNaN;               ///< standard deviation of a block's log-ratio
  bool disjoint = false;               ///< the sides' own intervals are: never indistinguishable
  double detectable = kNaN;  ///< relative difference that is found in 80% of the attempts, at 5%
  Difference verdict = Difference::not_compared;
  std::string
      order;  ///< side whose estimate (or bound) is higher, "A" or "B", or "equal"; "" if unknown
  std::string remark;  ///< what is known of a censored figure, or why there is none
};

}  // namespace precipice
