// Response times within a busy period are correlated. Estimates their integrated autocorrelation
// time by batch means (Law, Simulation Modeling and Analysis, chapter 9).
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
  /// The number of consecutive values that carry as much information about the mean as one
  /// independent value, at least 1: the integrated autocorrelation time, from the variance of the
  /// batch means. Corrected for batches that are short against it, under exponential decay of the
  /// correlation. NaN where the values do not vary.
  double autocorrelation_time() const;
  /// Standard error of the common mean over the mean; NaN where the values do not vary.
  double relative_error_of_mean() const;

 private:
  double variance() const;

  double series_ = 0, values_ = 0, sum_ = 0, squares_ = 0, within_ = 0, of_batches_ = 0, means_ = 0,
         mean_squares_ = 0;
};

}  // namespace precipice
