// Where throughput / mean response (Kleinrock's power) is highest: one number from merged points.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/rate_groups.hpp"

namespace precipice {

struct Knee {
  double rate_per_s = std::numeric_limits<double>::quiet_NaN();
  bool inside =
      false;  ///< false: the power is still rising, or falling already, at the edge of the points
  bool of_lossy = false;  ///< some of the points that it rests on lost more than `max_loss`
};

/// `points` ascending by rate; those that are not stable do not count. By the form a + b u / (1 -
/// u) of the mean response at the share u of saturation where the points near the top have it, else
/// the top of a parabola through the logarithm of the power, else the best point. NaN without a
/// stable point.
Knee find_knee(const std::vector<RateGroup::Merged>& points, double saturation_per_s,
               double max_loss);

struct KneeDeviationOptions {
  double slo_percentile = 99;
  double saturation_per_s = 0;
  double max_loss = kMaxLossDefault;
  std::uint64_t seed = 1;
  int draws = 200;
};
/// What the logarithm of a knee would scatter if nothing but bursts moved the mean responses that
/// it is read off: a parametric bootstrap. NaN where no trial has kept its scatter.
double knee_deviation(const RateGroups& groups, const KneeDeviationOptions& options);

}  // namespace precipice
