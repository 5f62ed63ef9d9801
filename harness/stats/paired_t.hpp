// Differences of logarithms, one per block, and what may be said of many such comparisons at once.
// Pure functions.
#pragma once

#include <span>
#include <utility>
#include <vector>

namespace precipice {

/// A standard deviation with its degrees of freedom; none: not known.
struct Deviation {
  double value = 0;
  double degrees = 0;
};
/// Of a sum or a difference of two independent values (B. L. Welch, 1947; F. E. Satterthwaite,
/// 1946). Not known unless both are.
Deviation combined(const Deviation& a, const Deviation& b);

/// The mean of the differences of one comparison.
struct PairedMean {
  int blocks = 0;
  double mean = 0;     ///< of the logarithm of the ratio
  double scatter = 0;  ///< standard deviation of a block's difference
  double error = 0;    ///< standard error of the mean
  double degrees = 0;  ///< of freedom, of the error
};

/// `least_scatter`: what counting whole requests leaves of a block's difference even where all
/// blocks happen to agree. `between_runs`: standard deviation of the part that all blocks of a run
/// share, which no block can show; 0 inside one run. It enters twice, once for each run. One
/// block: infinite error. No block: error and degrees are 0, which the functions below take as
/// unknown.
PairedMean paired_mean(std::span<const double> differences, double least_scatter,
                       double between_runs = 0);

/// The variance of the mean by its blocks pooled with one that is known otherwise, each weighted by
/// its degrees of freedom, which add up. Where that of the blocks is larger by an F test at 5%, the
/// known one does not hold here, and the blocks count alone. Both ways the rule is fixed before p
/// is known, and the second gives the wider interval.
PairedMean pooled(PairedMean mean, const Deviation& known);

/// Two-sided, of Student's t, for a true mean of 0; with `margin` > 0 for one anywhere in [-margin,
/// margin].
double p_different(const PairedMean& mean, double margin = 0);
/// For a true mean outside (-margin, margin): twice the larger of the two one-sided values, so that
/// it is below alpha exactly when the interval at 1 - alpha lies inside the margin.
double p_equivalent(const PairedMean& mean, double margin);
/// At confidence 1 - alpha. Both ends infinite where the error is.
std::pair<double, double> interval(const PairedMean& mean, double alpha);

/// Holm's step-down correction (S. Holm, "A simple sequentially rejective multiple test procedure",
/// 1979) of a family of p-values.
struct Holm {
  std::vector<double> adjusted;  ///< reject where it is below the family's alpha
  /// The alpha at which each was decided, in the order of the input: the interval at 1 - this
  /// leaves out the hypothesis exactly when Holm rejects it.
  std::vector<double> alpha;
};
Holm holm(std::span<const double> p_values, double alpha = 0.05);

/// The smallest difference of logarithms that one comparison with this standard error finds in 80%
/// of the attempts at 5%. Infinite below one degree of freedom.
double detectable(double error, double degrees);

}  // namespace precipice
