// How much of what a cell's trials show is the luck of their arrivals and draws, judged by twins:
// the weight of the control variate is estimated, and 0 where twins explain nothing.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/twin.hpp"

namespace precipice {

/// Of the requests beyond one bound. Their number in a trial is expected to be the share of the
/// long run times (1 + weight x (the twin's number / the twin's expectation - 1)): the expectation
/// of that factor is 1 for any weight, so a twin that fits badly costs precision and no bias.
struct TwinFit {
  double weight = 0;  ///< 0: twins are not used
  TwinOrder order = TwinOrder::fcfs;
  TwinStretch stretch = 0;
  /// Variance over mean of a trial's number, given its twin's; estimated with so many degrees of
  /// freedom.
  double dispersion = 1, degrees = 0;
  double long_run_error = 0;  ///< relative, of the twin's share in the long run
  /// What the slope of the logarithm of the share over the headroom may depart from the twin's.
  double slope_deviation = 0;
  /// The logarithm of the twin's share beyond the bound in the long run, at rates in equal steps.
  double first_rate_per_s = 0, step_per_s = 0;
  std::vector<double> log_shares;

  bool used() const { return weight > 0; }
  /// Interpolated; constant beyond the ends.
  double log_share(double rate_per_s) const;
  /// The rate at which the twin's share is this, within the table.
  double crossing(double log_share) const;
};

using TwinFits = std::array<TwinFit, std::tuple_size_v<PerBound>>;

struct TwinFitOptions {
  double bound_ns = 0;
  std::size_t bound = 0;  ///< which of the groups' bounds this is
  bool own = false;       ///< the cell's, around whose crossing the search placed its rates
  double slo_percentile = 99;
  double max_loss = kMaxLossDefault;
  double crossing_per_s = 0;  ///< about where the bound is reached
  double saturation_per_s = 0;
  double index_of_dispersion = 1;    ///< of the number beyond the bound there, without twins
  std::optional<TwinOrder> order{};  ///< where another bound of the same cell has shown it
};

/// Chooses order, stretch and weight on the stable trials around the crossing and, where twins
/// explain enough, writes their `exposure` into the members of `groups`. The stretch makes the
/// twins' mean responses those of the trials. Among the orders whose means follow those of the
/// trials (kFollowsAsWell), order and weight have the least deviance; where too few requests lie
/// beyond the bound to estimate the weight, it is a fixed value, and only one order may follow.
TwinFit fit_twins(RateGroups& groups, const Twin& twin, const TwinFitOptions& options);

/// Takes the luck of the draws out of the goodput of saturated trials, where that makes them agree
/// better. Whether it did.
bool correct_goodput(RateGroups& groups, const Twin& twin, double saturation_per_s);

}  // namespace precipice
