#include "harness/capacity/cliff_readings.hpp"

#include <algorithm>
#include <cmath>

#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;

constexpr double kMuchLoss = 0.05;  // the power bends from here on

/// Slope of log loss over log rate, by the number lost; NaN where no queue that holds loses more
/// than it may.
double loss_power(const std::vector<Merged>& open, double max_loss) {
  std::vector<double> x, y, weight;
  bool lossy = false;
  for (const Merged& point : open) {
    if (!point.stable || !(point.loss > 0)) continue;
    lossy = lossy || point.loss > max_loss;
    x.push_back(std::log(point.rate_per_s));
    y.push_back(std::log(point.loss));
    // Far above the bound the power bends: all but the capacity is refused.
    weight.push_back(point.loss * point.requests * std::exp(-point.loss / kMuchLoss));
  }
  if (!lossy) return kNaN;
  if (x.size() < 2) return kLeastLossPower;
  return std::clamp(polynomial_fit(x, y, weight, 1)[1], kLeastLossPower, kMostLossPower);
}

double overload_retention(const std::vector<Merged>& open, double saturation) {
  const Merged* nearest = nullptr;
  for (const Merged& point : open) {
    const double off = std::abs(point.rate_per_s / (1.5 * saturation) - 1);
    if (off > 0.2) continue;
    if (nearest == nullptr || off < std::abs(nearest->rate_per_s / (1.5 * saturation) - 1)) {
      nearest = &point;
    }
  }
  return nearest == nullptr ? kNaN : nearest->goodput_per_s / saturation;
}

}  // namespace

bool loop_still_grew(const std::vector<Point>& points) {
  constexpr double kGrowth = 1.05;  // as the search sees it
  std::uint64_t largest = 0;
  for (const Point& point : points) {
    if (point.valid) largest = std::max(largest, point.closed);
  }
  double of_largest = 0, of_smaller = 0;
  for (const Point& point : points) {
    if (!point.valid || point.closed == 0) continue;
    double& best = point.closed == largest ? of_largest : of_smaller;
    best = std::max(best, point.goodput_per_s);
  }
  return of_smaller > 0 && of_largest > kGrowth * of_smaller;
}

CliffResample draw_blocks(const RateGroups& groups, const BlockWeights& weights,
                          double slo_percentile) {
  CliffResample result;
  // Not every block measures saturation, and without it nothing else can be read.
  const BlockWeights once(groups.blocks, 1);
  for (const RateGroup& group : groups.open) {
    auto merged = group.merge(weights, slo_percentile);
    if (!merged && group.overloaded()) merged = group.merge(once, slo_percentile);
    if (merged) result.open.push_back(*merged);
  }
  for (const RateGroup& group : groups.closed) {
    auto merged = group.merge(weights, slo_percentile);
    if (!merged) merged = group.merge(once, slo_percentile);
    if (merged) result.closed.push_back(*merged);
  }
  return result;
}

const RateGroup::Merged* highest_goodput(const CliffResample& sample) {
  const Merged* best = nullptr;
  for (const auto* list : {&sample.open, &sample.closed}) {
    for (const Merged& point : *list) {
      if (best == nullptr || point.goodput_per_s > best->goodput_per_s) best = &point;
    }
  }
  if (best == nullptr) return nullptr;
  const Merged* saturated_point = best;
  const auto consider = [&](const Merged& point) {
    const double noise =
        std::sqrt(1 / std::max(1.0, best->requests) + 1 / std::max(1.0, point.requests));
    if (point.goodput_per_s >= best->goodput_per_s * (1 - 2 * noise) &&
        point.requests > saturated_point->requests) {
      saturated_point = &point;
    }
  };
  for (const Merged& point : sample.closed) consider(point);
  for (const Merged& point : sample.open) {
    if (!point.stable) consider(point);
  }
  return saturated_point;
}

CliffReadings read_resample(const CliffResample& sample, const CliffOptions& options,
                            const PerBound& bounds_ns, const Dispersion& bursts,
                            const TwinFits& twins) {
  const std::vector<Merged>& open = sample.open;
  CliffReadings readings;
  const Merged* saturated_point = highest_goodput(sample);
  readings.saturation = saturated_point == nullptr ? kNaN : saturated_point->goodput_per_s;
  if (saturated_point != nullptr) {
    readings.saturated_rate = saturated_point->rate_per_s;
    readings.saturated_closed = saturated_point->rate_per_s > 0 ? 0 : saturated_point->closed;
  }
  const auto crossing = [&](std::size_t bound) {
    return find_slo_crossing(open, {.slo_ns = bounds_ns[bound],
                                    .bound = bound,
                                    .slo_percentile = options.slo_percentile,
                                    .max_loss = options.max_loss,
                                    .fit_within = options.fit_within,
                                    .saturation_per_s = readings.saturation,
                                    .bursts = &bursts,
                                    .twin = &twins[bound]});
  };
  readings.cliff = crossing(0);
  readings.cliff5 = crossing(1);
  readings.cliff20 = crossing(2);
  readings.retention = overload_retention(open, readings.saturation);
  readings.knee = find_knee(open, readings.saturation, options.max_loss);
  readings.loss_power = loss_power(open, options.max_loss);
  return readings;
}

}  // namespace precipice
