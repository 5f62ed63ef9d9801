#include "harness/stats/batch_means.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace precipice {
namespace {

// In batches: a correlation that lasts longer than this cannot be told from one that lasts for
// ever.
constexpr double kLongest = 2;

}  // namespace

BatchScatter batch_scatter(std::span<const std::int64_t> series) {
  constexpr auto kCount = static_cast<std::size_t>(kBatches);
  const std::size_t batch = series.size() / kCount;
  if (batch < 2) return {};
  // About the first value: squares of what differs, not of what is common.
  const std::int64_t origin = series.front();
  double sum = 0, squares = 0, means = 0, mean_squares = 0;
  for (std::size_t from = 0; from < series.size(); from += batch) {
    const std::size_t to = std::min(from + batch, series.size());
    double part = 0, part_squares = 0;
    for (std::size_t i = from; i < to; ++i) {
      const auto off = static_cast<double>(series[i] - origin);
      part += off;
      part_squares += off * off;
    }
    sum += part;
    squares += part_squares;
    if (from / batch >= kCount) continue;
    const double mean = part / static_cast<double>(batch);
    means += mean;
    mean_squares += mean * mean;
  }
  const auto n = static_cast<double>(series.size());
  const double mean = sum / n;
  return {std::sqrt(std::max(0.0, squares / n - mean * mean)),
          std::sqrt(std::max(0.0, (mean_squares - 2 * mean * means) / kBatches + mean * mean))};
}

void PooledScatter::add(double values, double mean, const BatchScatter& scatter) {
  if (!std::isfinite(scatter.deviation) || !std::isfinite(scatter.of_batches)) return;
  series_ += 1;
  values_ += values;
  sum_ += values * mean;
  squares_ += values * mean * mean;
  within_ += values * scatter.deviation * scatter.deviation;
  of_batches_ += scatter.of_batches * scatter.of_batches;
  means_ += mean;
  mean_squares_ += mean * mean;
}

double PooledScatter::variance() const {
  if (!(series_ > 0)) return 0;
  const double mean = sum_ / values_;
  return (within_ + squares_) / values_ - mean * mean;
}

double PooledScatter::relative_error_of_mean() const {
  return std::sqrt(variance() * autocorrelation_time() / values_) / (sum_ / values_);
}

double PooledScatter::autocorrelation_time() const {
  if (!(variance() > 0)) return std::numeric_limits<double>::quiet_NaN();
  const double mean = sum_ / values_;
  const double batches = series_ * kBatches;
  const double of_batches =
      ((of_batches_ + mean_squares_ - 2 * mean * means_) / series_ + mean * mean) * batches /
      (batches - 1);

  // For a correlation exp(-k / d), the variance of means of m values is that of one times
  // 2 d / m (1 - d / m (1 - exp(-m / d))), which rises with d to 1.
  const double batch = values_ / batches;
  const double share = of_batches / variance();
  const auto shown = [&](double d) { return 2 * d * (1 - d * -std::expm1(-1 / d)); };
  double low = 0, high = kLongest;
  if (share >= shown(high)) low = high;
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (low + high);
    (shown(middle) < share ? low : high) = middle;
  }
  return std::max(1.0, 2 * high * batch);
}

}  // namespace precipice
