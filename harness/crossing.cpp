#include "harness/crossing.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

#include "harness/statistics.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;

// Relative residuals of a line in 1/percentile: more than the first shows a bend, so that fewer
// points are better; more than the second is no line at all.
constexpr double kBend = 0.04;
constexpr double kWorstResidual = 0.15;
// Neighbouring rates further apart than this do not bracket a stability bound, they leave it open.
constexpr double kWidestBracket = 1.2;
// A line may be followed this far past the last point that it was fitted through.
constexpr double kFollow = 1.08;
// Losses are fitted by a power of the rate within this share of the crossing; from where the fit
// begins, and a power that is a step rather.
constexpr double kLossWithin = 0.25, kUsualLossPower = 5, kSteepestLoss = 100;
// A queue that is full refuses the next ones too: variance of the number lost over its mean.
constexpr double kLostTogether = 2;

/// Index of the first rate at which the queue does not hold: unstable, or losing too much. A single
/// odd verdict between opposite ones is outvoted.
std::size_t first_failing(const std::vector<Merged>& points, double max_loss) {
  std::vector<double> fails, weights(points.size(), 1.0);
  for (const Merged& point : points) {
    fails.push_back(point.stable && point.loss <= max_loss ? 0 : 1);
  }
  const std::vector<double> level = isotonic(fails, weights);
  return static_cast<std::size_t>(
      std::find_if(level.begin(), level.end(), [](double share) { return share >= 0.5; }) -
      level.begin());
}

/// Where a loss that goes with a power of the rate crosses its bound, and the deviation of that,
/// relative.
struct LossCrossing {
  double rate_per_s, deviation, power;
};

/// Poisson regression of the number lost on the logarithm of the rate, over the stable points
/// around `centre`: a rate that has lost nothing speaks too. Nothing where the points do not show a
/// power.
std::optional<LossCrossing> loss_crossing(const std::vector<Merged>& points, double centre,
                                          double max_loss) {
  std::vector<double> x, requests, lost;
  for (const Merged& point : points) {
    if (!point.stable || std::abs(point.rate_per_s / centre - 1) > kLossWithin) continue;
    x.push_back(std::log(point.rate_per_s / centre));
    requests.push_back(point.requests);
    lost.push_back(point.loss * point.requests);
  }
  if (x.size() < 3) return std::nullopt;
  double level = std::log(max_loss), power = kUsualLossPower;
  double one = 0, first = 0, second = 0, determinant = 0, step = 1;
  for (int i = 0; i < 50 && std::abs(step) > 1e-9; ++i) {
    double miss = 0, miss_first = 0;
    one = first = second = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double expected = requests[k] * std::exp(level + power * x[k]);
      miss += lost[k] - expected;
      miss_first += (lost[k] - expected) * x[k];
      one += expected;
      first += expected * x[k];
      second += expected * x[k] * x[k];
    }
    determinant = one * second - first * first;
    if (!(determinant > 0)) return std::nullopt;
    // Newton's step, held back where it would leave the region in which the counts make sense.
    const double up = (second * miss - first * miss_first) / determinant;
    step = (one * miss_first - first * miss) / determinant;
    const double part = std::min(1.0, 2 / std::max(std::abs(up), std::abs(step) * kLossWithin));
    level += part * up;
    power += part * step;
    if (!(power > 0 && power < kSteepestLoss)) return std::nullopt;
  }
  const double at = (std::log(max_loss) - level) / power;
  const double variance = (second - 2 * at * first + at * at * one) / determinant;
  return LossCrossing{centre * std::exp(at), std::sqrt(kLostTogether * variance) / power, power};
}

/// The SLO holds up to the highest rate that the queue carries: the bound is stability or loss.
Crossing at_bound(const Merged& holds, const Merged& fails, const std::vector<Merged>& points,
                  const CrossingOptions& options) {
  Crossing result;
  // No rate above saturation is stable, so a failure far beyond it bounds the cliff no less than
  // saturation does.
  const double top = std::clamp(options.saturation_per_s, holds.rate_per_s, fails.rate_per_s);
  result.bracket_low = holds.rate_per_s;
  const bool by_loss = fails.stable && fails.loss > options.max_loss;
  const bool near = fails.rate_per_s <= holds.rate_per_s * kWidestBracket;
  result.bracket_high = by_loss || near ? fails.rate_per_s : top;
  if (result.bracket_high > holds.rate_per_s * kWidestBracket) {
    result.value = holds.rate_per_s;
    result.reached = "above";
    result.at = holds;
    return result;
  }
  result.reached = "ok";
  result.limited_by = "saturation";
  if (by_loss) {
    // Loss grows as a power of the load, so it crosses on a line of logarithms.
    const double least = 0.5 / std::max(1.0, holds.requests);
    const double low = std::log(std::max(holds.loss, least));
    const double high = std::log(fails.loss);
    const double part = std::clamp((std::log(options.max_loss) - low) / (high - low), 0.0, 1.0);
    result.by_loss = true;
    result.value = holds.rate_per_s * std::pow(fails.rate_per_s / holds.rate_per_s, part);
    const auto fit = loss_crossing(points, result.value, options.max_loss);
    if (fit && fit->rate_per_s > holds.rate_per_s / kFollow &&
        fit->rate_per_s < fails.rate_per_s * kFollow) {
      result.value = fit->rate_per_s;
      result.loss_deviation = fit->deviation;
      result.loss_power = fit->power;
    }
    return result;
  }
  // Between the last stable point and saturation, where the response has no bound, 1/percentile
  // falls to 0.
  const double room = std::max(0.0, 1 - holds.percentile_ns / options.slo_ns);
  result.value = holds.rate_per_s + (top - holds.rate_per_s) * room;
  return result;
}

struct Fit {
  std::vector<double> rate, inverse, weight, requests;
};

Fit points_near(const std::vector<Merged>& good, double centre, double within) {
  Fit fit;
  for (const Merged& point : good) {
    const double distance = std::abs(point.rate_per_s / centre - 1) / within;
    if (distance >= 1) continue;
    // Tricube: the line is asked about its centre, so the far points only steady it.
    const double near = 1 - distance * distance * distance;
    fit.rate.push_back(point.rate_per_s);
    fit.inverse.push_back(1 / point.percentile_ns);
    fit.requests.push_back(point.requests);
    fit.weight.push_back(near * near * near * point.requests);
  }
  return fit;
}

/// Root of the weighted mean square of the relative residuals.
double misfit(const Fit& fit) {
  const std::vector<double> line = polynomial_fit(fit.rate, fit.inverse, fit.weight, 1);
  double squares = 0, weight = 0;
  for (std::size_t i = 0; i < fit.rate.size(); ++i) {
    const double miss = (line[0] + line[1] * fit.rate[i]) / fit.inverse[i] - 1;
    squares += fit.weight[i] * miss * miss;
    weight += fit.weight[i];
  }
  return std::sqrt(squares / weight);
}

/// Relative noise of a percentile among the fitted points: the requests above it are counted.
double noise_of(const Fit& fit, double percentile) {
  double requests = 0;
  for (const double each : fit.requests) requests += each;
  const double above = requests / static_cast<double>(fit.requests.size()) * (1 - percentile / 100);
  return 1 / std::sqrt(std::max(1.0, above));
}

}  // namespace

double line_crossing(const std::vector<double>& rate, const std::vector<double>& inverse,
                     const std::vector<double>& weight, double level) {
  const std::vector<double> line = polynomial_fit(rate, inverse, weight, 1);
  if (!(line[1] < 0)) return std::numeric_limits<double>::quiet_NaN();
  return (level - line[0]) / line[1];
}

Crossing find_crossing(const std::vector<Merged>& points, const CrossingOptions& options) {
  Crossing result;
  result.value = std::numeric_limits<double>::quiet_NaN();
  if (points.empty()) return result;

  const std::size_t bound = first_failing(points, options.max_loss);
  std::vector<Merged> good;
  std::vector<double> logs, weights;
  for (std::size_t i = 0; i < bound; ++i) {
    const Merged& point = points[i];
    if (!point.stable || point.loss > options.max_loss || !(point.percentile_ns > 0)) continue;
    good.push_back(point);
    logs.push_back(std::log(point.percentile_ns));
    weights.push_back(std::max(1.0, point.requests));
  }
  const double target = std::log(options.slo_ns);
  const std::vector<double> level = isotonic(logs, weights);
  if (good.empty() || level.front() > target) {
    result.value = result.bracket_low = result.bracket_high = points.front().rate_per_s;
    result.reached = "below";
    result.at = points.front();
    if (!good.empty()) result.at.percentile_ns = std::exp(level.front());
    return result;
  }
  if (level.back() <= target) {
    const double last = good.back().rate_per_s;
    const bool open_above =
        bound == points.size() ||
        std::min(points[bound].rate_per_s, options.saturation_per_s) > last * kWidestBracket;
    if (open_above) {
      // A coarse search that fell short leaves the crossing just above the refining rates.
      Fit fit = points_near(good, last * (1 + options.fit_within / 3), options.fit_within);
      if (fit.rate.size() >= 3 && misfit(fit) <= kWorstResidual) {
        const double crossing =
            line_crossing(fit.rate, fit.inverse, fit.weight, 1 / options.slo_ns);
        if (crossing <= last * kFollow) {
          result.value = std::max(crossing, last);
          result.reached = "ok";
          result.limited_by = "slo";
          result.bracket_low = last;
          result.bracket_high = last * kFollow;
          result.fit_rate = std::move(fit.rate);
          result.fit_inverse = std::move(fit.inverse);
          result.fit_weight = std::move(fit.weight);
          result.fit_requests = std::move(fit.requests);
          return result;
        }
      }
    }
    if (bound < points.size()) {
      return at_bound(good.back(), points[bound], points, options);
    }
    result.value = result.bracket_low = result.bracket_high = good.back().rate_per_s;
    result.reached = "above";
    result.at = good.back();
    result.at.percentile_ns = std::exp(level.back());
    return result;
  }

  std::size_t over = 1;
  while (level[over] <= target) ++over;
  const Merged& before = good[over - 1];
  const Merged& after = good[over];
  result.reached = "ok";
  result.limited_by = "slo";
  result.bracket_low = before.rate_per_s;
  result.bracket_high = after.rate_per_s;

  const double a = std::exp(-level[over - 1]), b = std::exp(-level[over]);
  const double between = (a - 1 / options.slo_ns) / (a - b);
  const double rough = before.rate_per_s + between * (after.rate_per_s - before.rate_per_s);
  const double log_between = (target - level[over - 1]) / (level[over] - level[over - 1]);
  result.value = before.rate_per_s + log_between * (after.rate_per_s - before.rate_per_s);

  for (double within = options.fit_within; within > 0.02; within *= 0.7) {
    double centre = rough;
    Fit fit;
    bool usable = true;
    for (int pass = 0; pass < 2 && usable; ++pass) {
      fit = points_near(good, centre, within);
      usable = fit.rate.size() >= 3;
      if (!usable) break;
      const double crossing = line_crossing(fit.rate, fit.inverse, fit.weight, 1 / options.slo_ns);
      usable = std::abs(crossing / rough - 1) < within;
      if (usable) centre = crossing;
    }
    if (!usable) break;
    const double miss = misfit(fit);
    if (miss > std::hypot(kWorstResidual, noise_of(fit, options.slo_percentile))) continue;
    result.value = centre;
    result.fit_rate = std::move(fit.rate);
    result.fit_inverse = std::move(fit.inverse);
    result.fit_weight = std::move(fit.weight);
    result.fit_requests = fit.requests;
    if (miss <= std::hypot(kBend, noise_of(fit, options.slo_percentile))) return result;
  }
  if (!result.fit_rate.empty()) return result;
  // Too few points for residuals. Two neighbours a small step apart still share a line.
  if (after.percentile_ns < 3 * before.percentile_ns) result.value = rough;
  return result;
}

}  // namespace precipice
