#include "harness/capacity/knee.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include "harness/capacity/dispersion.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;

// A full queue that refuses some still has a knee, which may lie beyond what the SLO allows it.
constexpr double kLossAtKnee = 0.05;
// How far beyond the stable points the form of the mean response is believed.
constexpr double kFollowKnee = 1.5;

/// Kleinrock's power, throughput / mean response, of a mean response a + b u / (1 - u) at the
/// share u of saturation (Pollaczek and Khinchine's form, with b / a = (1 + scv) / 2 for one
/// server): highest where u / (1 - u) = sqrt(a / b). NaN where the points have another form.
double knee_of_form(const std::vector<const Merged*>& points, double saturation) {
  std::vector<double> x, y, weight;
  for (const Merged* point : points) {
    const double u = point->rate_per_s / saturation;
    if (u > 0.95) continue;
    x.push_back(u / (1 - u));
    y.push_back(point->mean_ns);
    // The mean of a queue scatters relatively, and more the fuller it is.
    weight.push_back((1 - u) / (point->mean_ns * point->mean_ns));
  }
  if (x.size() < 3) return kNaN;
  const std::vector<double> line = polynomial_fit(x, y, weight, 1);
  if (!(line[0] > 0 && line[1] > 0)) return kNaN;
  double squares = 0, total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double miss = (line[0] + line[1] * x[i]) / y[i] - 1;
    squares += miss * miss;
    total += 1;
  }
  if (std::sqrt(squares / total) > 0.1) return kNaN;
  const double ratio = std::sqrt(line[0] / line[1]);
  return saturation * ratio / (1 + ratio);
}

/// Box and Muller's.
double normal(Random& random) {
  return std::sqrt(-2 * std::log(random.uniform_positive())) *
         std::cos(2 * std::numbers::pi * random.uniform());
}

}  // namespace

Knee find_knee(const std::vector<Merged>& points, double saturation, double max_loss) {
  Knee knee;
  std::vector<double> rate, power, weight;
  double top = -std::numeric_limits<double>::infinity();
  double top_rate = kNaN;
  std::vector<std::pair<double, const Merged*>> stable;
  for (const Merged& point : points) {
    if (!point.stable || point.loss > kLossAtKnee || !(point.mean_ns > 0)) continue;
    const double value = std::log(point.goodput_per_s / point.mean_ns);
    stable.emplace_back(value, &point);
    if (value > top) {
      top = value;
      top_rate = point.rate_per_s;
    }
  }
  knee.rate_per_s = top_rate;
  if (stable.size() < 3) return knee;
  for (const auto& [value, point] : stable) {
    if (value < top - 0.4) continue;  // a parabola holds near its top only
    rate.push_back(point->rate_per_s);
    power.push_back(value);
    weight.push_back(1);
  }
  std::vector<const Merged*> near;
  for (const auto& [value, point] : stable) {
    if (value < top - 0.4) continue;
    near.push_back(point);
    knee.of_lossy = knee.of_lossy || point->loss > max_loss;
  }
  const double formed = knee_of_form(near, saturation);
  if (std::isfinite(formed)) {
    const double first = stable.front().second->rate_per_s / kFollowKnee;
    const double last = stable.back().second->rate_per_s * kFollowKnee;
    knee.rate_per_s = std::clamp(formed, first, last);
    knee.inside = formed > first && formed < last;
    return knee;
  }
  const std::vector<double> fit = polynomial_fit(rate, power, weight, 2);
  if (!(fit.size() == 3 && fit[2] < 0)) return knee;
  const double vertex = -fit[1] / (2 * fit[2]);
  if (vertex <= stable.front().second->rate_per_s || vertex >= stable.back().second->rate_per_s) {
    return knee;
  }
  knee.rate_per_s = vertex;
  knee.inside = true;
  return knee;
}

double knee_deviation(const RateGroups& groups, const KneeDeviationOptions& options) {
  std::vector<Merged> open;
  std::vector<double> errors;
  bool known = false;
  for (const RateGroup& group : groups.open) {
    const auto merged = group.merge(BlockWeights(groups.blocks, 1), options.slo_percentile);
    if (!merged) continue;
    const double error = scatter_of(group).relative_error_of_mean();
    open.push_back(*merged);
    errors.push_back(std::isfinite(error) ? error : 0);
    known = known || std::isfinite(error);
  }
  if (!known) return kNaN;
  Random random(options.seed);
  std::vector<double> logs;
  for (int b = 0; b < options.draws; ++b) {
    std::vector<Merged> moved = open;
    for (std::size_t i = 0; i < moved.size(); ++i)
      moved[i].mean_ns *= std::exp(errors[i] * normal(random));
    const Knee knee = find_knee(moved, options.saturation_per_s, options.max_loss);
    if (knee.rate_per_s > 0) logs.push_back(std::log(knee.rate_per_s));
  }
  return standard_deviation(logs);
}

}  // namespace precipice
