// Where a percentile that rises with the rate crosses its bound: one number from merged points.
#pragma once

#include <string>
#include <vector>

#include "harness/rate_groups.hpp"

namespace precipice {

struct CrossingOptions {
  double slo_ns = 0;
  double slo_percentile = 99;
  double max_loss = 0.001;
  double fit_within = 0.15;
  double saturation_per_s = 0;
};

struct Crossing {
  double value = 0;
  std::string reached = "unmeasured";  ///< as in Estimate
  std::string limited_by;              ///< "slo" or "saturation"
  bool by_loss = false;                ///< limited by what it sheds or fails, not by backlog
  double loss_deviation = 0;           ///< by loss: relative, by counting; 0: not known
  double loss_power = 0;               ///< the loss goes with this power of the rate; 0: not known
  double bracket_low = 0, bracket_high = 0;  ///< rates that surround it
  RateGroup::Merged at;  ///< censored answers: the point at `value`, its percentile smoothed
  /// The points that a line in 1/percentile was fitted through; empty when it was not.
  std::vector<double> fit_rate, fit_inverse, fit_weight, fit_requests;
};

/// `points` ascending by rate. Isotonic log percentiles locate the crossing; stable points around
/// it are fitted by a line in 1/percentile (exact for M/M/1, whose 1/p99 is linear in the rate),
/// whose crossing is taken unless its residuals forbid.
Crossing find_crossing(const std::vector<RateGroup::Merged>& points,
                       const CrossingOptions& options);

/// Where the weighted line through the points reaches `level`; NaN when it does not fall.
double line_crossing(const std::vector<double>& rate, const std::vector<double>& inverse,
                     const std::vector<double>& weight, double level);

}  // namespace precipice
