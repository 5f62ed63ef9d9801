// Where a percentile that rises with the rate crosses its bound: one number from merged points.
#pragma once

#include <vector>

#include "harness/capacity/dispersion.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/twin_fit.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// Headroom (what is left to saturation, as a share of it) below this is treated as this.
inline constexpr double kLeastRoom = 0.02;

struct SloCrossingOptions {
  double slo_ns = 0;
  std::size_t bound = 0;  ///< which of the groups' bounds this is
  double slo_percentile = 99;
  double max_loss = kMaxLossDefault;
  double fit_within = 0.15;
  double saturation_per_s = 0;
  /// Without it requests are slow one by one, and no slope is known from saturation.
  const Dispersion* bursts = nullptr;
  const TwinFit* twin = nullptr;  ///< of this bound; null or not used(): none
};

struct SloCrossing {
  double value = 0;
  Reached reached = Reached::unmeasured;
  LimitedBy limited_by = LimitedBy::none;
  bool by_loss = false;       ///< limited by what it sheds or fails, not by backlog
  double loss_deviation = 0;  ///< by loss: relative, by counting; 0: not known
  double loss_power = 0;      ///< the loss goes with this power of the rate; 0: not known
  double bracket_low = 0, bracket_high = 0;  ///< rates that surround it
  RateGroup::Merged at;  ///< censored answers: the point at `value`, its percentile smoothed
  /// Rates below it that surely break the bound by latency, though higher ones keep it: the lowest
  /// and the highest of them; 0: none.
  double broken_from = 0, broken_to = 0;
  /// Where the requests beyond the bound were fitted: relative deviation of their number at the
  /// crossing, by bursts alone (0: they were not), and its power of what is left to saturation (0:
  /// that is not known).
  double beyond_deviation = 0, power_of_room = 0;
  double degrees = 0;  ///< of freedom of that deviation, where twins told it; else 0
};

/// How surely a point keeps (negative) or breaks its bound: the number of requests beyond it, in
/// standard deviations from what its percentile allows, as many as a burst holds counted as one.
double deviations_beyond(const RateGroup::Merged& point, const SloCrossingOptions& options);
/// More than this is sure.
inline constexpr double kSure = 3;

/// `points` ascending by rate. Isotonic log percentiles locate the crossing. Around it the number
/// of requests beyond the bound is fitted by a Poisson regression whose logarithm is a line in the
/// rate (exact for M/M/1): unlike a percentile of few requests, a count has no bias. Its crossing
/// is taken unless its residuals forbid.
SloCrossing find_slo_crossing(const std::vector<RateGroup::Merged>& points,
                              const SloCrossingOptions& options);

}  // namespace precipice
