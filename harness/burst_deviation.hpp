// What bursts alone scatter: the number of requests above a percentile, and a crossing fitted
// through several rates.
#pragma once

#include <vector>

#include "harness/bursts.hpp"
#include "harness/crossing.hpp"
#include "harness/rate_groups.hpp"

namespace precipice {

/// The responses of a group's stable trials, pooled.
PooledScatter scatter_of(const RateGroup& group);

/// Looks at `open`, which outlives it: what the mean of responses scatters is what the number above
/// a high percentile does, relatively, within a fifth for most queues; and a trial knows far more
/// of the former. Bursts go with u / (1 - u)^2 for the share u of saturation.
class BurstDeviation {
 public:
  BurstDeviation(const std::vector<RateGroup>& open, double saturation_per_s, double percentile)
      : open_(open), saturation_(saturation_per_s), above_(1 - percentile / 100) {}

  /// Relative deviation of the number of requests above the percentile among `requests` at this
  /// rate.
  double at(double rate_per_s, double requests) const;
  /// The same of the number at a crossing: of the points that its line was fitted through, each by
  /// what it moves the line there. Of one without a line, for `requests` at its rate.
  double at(const Crossing& crossing, double slo_ns, double requests) const;

 private:
  double scale(double rate_per_s) const;

  const std::vector<RateGroup>& open_;
  const double saturation_, above_;
};

}  // namespace precipice
