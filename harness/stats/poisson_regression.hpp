// Poisson regression of counts on one variable, for what is rare and comes in bursts.
#pragma once

#include <optional>
#include <span>

namespace precipice {

/// So many of `exposure` were counted at x. `weight` is how much the point is asked, `dispersion`
/// the variance of a count over its mean, at least 1.
struct CountedPoint {
  double x = 0, exposure = 0, count = 0, weight = 1, dispersion = 1;
};

/// What is known of the slope beforehand; a deviation of 0: nothing. Counts that contradict it
/// outweigh it (Student's distribution with few degrees of freedom).
struct SlopePrior {
  double mean = 0, deviation = 0;
};

/// The logarithm of the expected count per exposure is level + slope x.
struct PoissonFit {
  double level = 0, slope = 0;
  double level_variance = 0, covariance = 0, slope_variance = 0;

  double at(double x) const { return level + slope * x; }
  double variance_at(double x) const {
    return level_variance + x * (2 * covariance + x * slope_variance);
  }
};

/// Most likely line; nothing where the counts and the prior leave it open: no count at all, or
/// fewer than two places without a prior.
std::optional<PoissonFit> poisson_regression(std::span<const CountedPoint> points,
                                             const SlopePrior& prior = {});

/// Weighted mean of the squared residuals of the counts, each over its own variance, in which a
/// share `tolerance` of the expected count is allowed: below 1 for a line, since it was fitted.
double poisson_misfit(std::span<const CountedPoint> points, const PoissonFit& line,
                      double tolerance);

}  // namespace precipice
