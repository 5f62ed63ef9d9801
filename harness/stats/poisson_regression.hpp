// Poisson regression of overdispersed counts on one variable, by iteratively reweighted least
// squares (McCullagh and Nelder, Generalized Linear Models, 2.5).
#pragma once

#include <optional>
#include <span>

namespace precipice {

/// `count` events among `exposure` trials at x. `weight` is the relative weight of the observation,
/// `dispersion` the index of dispersion: variance of the count over its mean, at least 1.
struct CountedPoint {
  double x = 0, exposure = 0, count = 0, weight = 1, dispersion = 1;
};

/// Prior of the slope: Student's distribution with few degrees of freedom, so that counts which
/// contradict it outweigh it. A deviation of 0: no prior.
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

/// The maximum of the posterior; nullopt where it is not determined: no count at all, or fewer than
/// two values of x without a prior.
std::optional<PoissonFit> poisson_regression(std::span<const CountedPoint> points,
                                             const SlopePrior& prior = {});

/// Weighted mean of the squared residuals of the counts, each over its own variance, in which a
/// share `tolerance` of the expected count is allowed: below 1 for a line, since it was fitted.
double poisson_misfit(std::span<const CountedPoint> points, const PoissonFit& line,
                      double tolerance);

}  // namespace precipice
