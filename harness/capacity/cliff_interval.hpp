// Intervals of what is read off a cell's blocks: the blocks' own deviation pooled with the one that
// bursts alone would cause.
#pragma once

#include <cstddef>
#include <vector>

#include "harness/capacity/cell_result.hpp"
#include "harness/capacity/cliff_readings.hpp"
#include "harness/capacity/dispersion.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/slo_crossing.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

// The deviation that bursts alone would cause is pooled with the deviation between n blocks, which
// has n - 1 degrees of freedom. The former counts as max(2, degrees + 1 - n) degrees of freedom,
// so that their sum is `degrees` for few blocks. No interval is narrower than `least` times the
// normal interval of the former.
struct IntervalPrior {
  double degrees, least;
};
inline constexpr IntervalPrior kOfCliff = {6, 0.95}, kOfKnee = {5, 0};

struct IntervalBasis {
  double expected = kNaN;  ///< as in pooled_bound; NaN: not known, the blocks speak alone
  IntervalPrior prior = kOfCliff;
  double systematic = 0;  ///< added in squares
  double of_one_block = 0;
  double skewed_by = 0;  ///< as a gamma variable of which it is this root; 0: symmetric
};

/// Sets `low` and `high` of estimates from one cell, with more than one block also `log_deviation`
/// and `degrees`; bound_crossing also corrects `value` for the bias of small counts. Keeps
/// references to all that it is given.
class CliffIntervals {
 public:
  CliffIntervals(const RateGroups& groups, const Dispersion& bursts, const CliffOptions& options)
      : groups_(groups), bursts_(bursts), options_(options) {}

  /// On the logarithm, all relative: t quantile x the bootstrap's deviation x sqrt(n / (n - 1)).
  void bound(Estimate& estimate, const std::vector<double>& values,
             const IntervalBasis& bounds) const;
  /// For a crossing of a percentile. Requests above a bound come in bursts, so that their number in
  /// a block is about gamma distributed: seldom many, mostly few, and an interval that is symmetric
  /// lies too high too often. What is left up to `ceiling` goes with a power of that number, the
  /// crossing's; the quantiles of a gamma variable with its deviation are approached by an
  /// exponential of a part of it.
  void bound_crossing(Estimate& estimate, const SloCrossing& crossing,
                      const std::vector<double>& values, double ceiling) const;
  /// A censored answer has an uncertain end too: the point where the search stopped held, or broke,
  /// the bound by a percentile, and by a loss, that were measured.
  void bound_censored(Estimate& estimate, const SloCrossing& crossing, const CliffReadings& all,
                      double slo_ns) const;
  /// A median over blocks: Student's interval with the deviation between blocks, widened by what
  /// the median of n normal values scatters more than their mean. A bootstrap of so few medians
  /// would be a third too wide.
  void bound_by_blocks(Estimate& estimate, const CliffReadings& all) const;
  /// No interval excludes both a rate that surely kept the bound and the next one, that surely
  /// broke it.
  void reach_what_is_sure(Estimate& estimate, std::size_t bound, double slo_ns) const;
  /// Where the loss is what is allowed, it rests on a handful of requests of two rates, or of those
  /// that a power was fitted to.
  double deviation_by_loss(const SloCrossing& crossing, double power) const;

 private:
  struct Spread {
    double more = 0, fewer = 0;  ///< 95% on the logarithm of what is left to saturation
    double bound = 0;            ///< the same without the skew
  };

  /// Of what is left to saturation, for a tail that falls exponentially with it.
  double usual_power() const;
  /// `bound`: 97.5% of the logarithm, which Student's t with these degrees was multiplied into.
  static void keep_deviation(Estimate& estimate, double bound, double degrees);
  /// Of what pooled_bound returns: those of the blocks and those that `expected` counts as.
  double pooled_degrees(const IntervalPrior& prior) const;
  /// Few blocks can agree, or differ, by chance: the deviation that bursts alone would cause is
  /// `expected`, and is pooled with what was `seen`. The quantile `side`.
  double pooled_bound(double expected, double seen, const IntervalPrior& prior,
                      double side = 0.975) const;
  /// The number above a percentile goes with this power of what is left to saturation; its
  /// deviation by bursts alone is `expected`, and `seen` by the blocks (NaN: by none).
  Spread spread_of_room(double expected, double seen, double power, const IntervalPrior& prior,
                        double side = 0.975) const;

  const RateGroups& groups_;
  const Dispersion& bursts_;
  const CliffOptions& options_;
};

}  // namespace precipice
