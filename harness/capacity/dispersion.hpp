// Index of dispersion of the number of slow requests in a trial: within a busy period requests are
// slow together, so the number varies more than a Poisson count.
#pragma once

#include <vector>

#include "harness/capacity/rate_groups.hpp"
#include "harness/stats/batch_means.hpp"

namespace precipice {

/// The responses of a group's stable trials, pooled.
PooledScatter scatter_of(const RateGroup& group);

/// The relative standard error of the mean response approximates that of the number of slow
/// requests (within 20% for most queues) and is estimated from far more data. The autocorrelation
/// time grows with u / (1 - u)^2 for the utilisation u.
class Dispersion {
 public:
  /// From the stable trials of an open loop.
  Dispersion(const std::vector<RateGroup>& open, double saturation_per_s, double percentile);

  /// Variance over mean of the number of requests above the percentile at this rate, at least 1.
  double index_of_dispersion(double rate_per_s) const;
  /// Relative deviation of that number among `requests` at this rate.
  double at(double rate_per_s, double requests) const;

 private:
  struct Measured {
    double rate_per_s, units, bursts;
  };

  std::vector<Measured> measured_;
  double saturation_, above_;
};

}  // namespace precipice
