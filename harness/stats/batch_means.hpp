// Requests of a queue share its busy periods: of how many neighbours one response speaks, measured
// by the method of batch means.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace precipice {

/// A series is cut into this many batches of equal length.
inline constexpr int kBatches = 10;

/// Deviation of a series about its mean, and that of the means of its batches; NaN for fewer than
/// two values a batch. A remainder that fills no batch counts in the first only.
struct BatchScatter {
  double deviation = std::numeric_limits<double>::quiet_NaN();
  double of_batches = std::numeric_limits<double>::quiet_NaN();
};
BatchScatter batch_scatter(std::span<const std::int64_t> series);

/// Several series from one distribution, pooled about their common mean.
class PooledScatter {
 public:
  void add(double values, double mean, const BatchScatter& scatter);  ///< of NaNs is left out
  double values() const { return values_; }
  /// So many consecutive values know of their mean what one independent value does, at least 1: the
  /// integrated autocorrelation time, from the variance of the batches' means. A batch that is not
  /// long against it shows too little, by what a correlation that decays exponentially explains.
  /// NaN while nothing scatters.
  double autocorrelation_time() const;
  /// Standard error of the common mean over the mean; NaN while nothing scatters.
  double relative_error_of_mean() const;

 private:
  double variance() const;

  double series_ = 0, values_ = 0, sum_ = 0, squares_ = 0, within_ = 0, of_batches_ = 0, means_ = 0,
         mean_squares_ = 0;
};

}  // namespace precipice
