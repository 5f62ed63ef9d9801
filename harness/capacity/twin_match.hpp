// The twin that a cell's trials resemble: how much longer its services are, and what it leads one
// to expect.
#pragma once

#include <cstddef>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/twin.hpp"

namespace precipice {

/// Fewer trials do not say whether they follow their twins.
inline constexpr std::size_t kFewestTwinnedTrials = 5;

/// An order whose means scatter about the trials' by up to this times the scatter of the best order
/// may be the model's: orders with much the same means can have other tails, which then decide.
inline constexpr double kFollowsAsWell = 2;
/// Means are matched in such steps, and a scatter below one says nothing.
inline constexpr double kStretchStep = 0.01;

/// Where the twins' mean responses are those of the trials, on average over the trials.
TwinStretch matching_stretch(const Twin& twin, TwinOrder order,
                             const std::vector<const Point*>& points);
/// Whose capacity this is, as far as that is believed.
TwinStretch stretch_to(const Twin& twin, double capacity_per_s);

/// Standard deviation of the logarithm of the trials' mean responses over the twins'.
double spread_of_means(const Twin& twin, TwinOrder order, TwinStretch stretch,
                       const std::vector<const Point*>& points);
/// The share of the variance of the logarithms of the mean responses, about those of the long run,
/// that the twins' own explain.
double explained_of_means(const Twin& twin, TwinOrder order, TwinStretch stretch,
                          const std::vector<const Point*>& points);

/// The twin's number beyond the bound in a trial, and the logarithm of its share in the long run:
/// of several stretches together, since a service that varies a little from what was drawn moves a
/// response across the bound.
double seen_around(const Twin& twin, const Point& point, TwinOrder order, TwinStretch stretch,
                   double bound_ns);
double log_share_around(const Twin& twin, TwinOrder order, TwinStretch stretch, double rate_per_s,
                        double bound_ns);

/// Where a percentile of the response is expected to cross a bound, from few and short trials: the
/// rate at which twins whose mean responses are the trials' have that percentile in the long run,
/// moved by the ratio of the numbers beyond the bound, so far as these are many. NaN where no trial
/// says, or a twin costs too much. Of the orders that follow the means the one is taken whose
/// number beyond the bound is nearest to the trials'.
double expected_crossing(const std::vector<Point>& points, const Twin& twin, double bound_ns,
                         double slo_percentile);
/// The same before any trial of an open loop, from saturation alone.
double expected_crossing(double saturation_per_s, const Twin& twin, double bound_ns,
                         double slo_percentile);

}  // namespace precipice
