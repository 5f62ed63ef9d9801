#include "harness/capacity/slo_crossing.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>

#include "harness/stats/poisson_regression.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;

// A tail that falls exponentially with what is left to saturation has a slope of -log(1 - p) over
// it. Simulated at their cliffs (p99 <= 10 S), queues of one and two servers, of fixed, exponential
// and bimodal service and with sharing have 0.94 to 1.13 of that; lognormal service with a
// deviation of 1.3 means and a pareto of 2.1 have 0.7.
constexpr double kSlopeDeviation = 0.25;
constexpr int kHalvings = 30;
constexpr double kWorthOfTwins = 0.5;
// Squares of residuals, each over its variance: more than the first shows a bend, so that fewer
// points are better; more than the second is no line at all. What a straight line may err by, of
// the number of requests beyond a bound.
constexpr double kBend = 2, kNoLine = 6;
constexpr double kTolerance = 0.2;
// From one rate to the next, the logarithm of the share that is slow: more is a step.
constexpr double kStep = 4;
// Neighbouring rates further apart than this do not bracket a stability bound, they leave it open.
constexpr double kWidestBracket = 1.2;
// What is near, and how far a line may be followed past the last point that it was fitted through:
// these shares of the rate, or of so many times what is left to saturation, since it is that which
// the tail goes with; and never further than the last.
constexpr double kReachOfRoom = 2;
constexpr double kFollow = 0.08, kFarthest = 0.25;
// Losses are fitted by a power of the rate within this share of the crossing; a higher power is a
// step rather.
constexpr double kLossWithin = 0.25, kSteepestLoss = 100;
// A queue that is full refuses the next ones too: variance of the number lost over its mean.
constexpr double kLostTogether = 1.9;

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
  std::vector<CountedPoint> counted;
  for (const Merged& point : points) {
    if (!point.stable || std::abs(point.rate_per_s / centre - 1) > kLossWithin) continue;
    counted.push_back({.x = std::log(point.rate_per_s / centre),
                       .exposure = point.requests,
                       .count = point.loss * point.requests,
                       .dispersion = kLostTogether});
  }
  if (counted.size() < 3) return std::nullopt;
  const auto line = poisson_regression(counted);
  if (!line || !(line->slope > 0 && line->slope < kSteepestLoss)) return std::nullopt;
  const double at = (std::log(max_loss) - line->level) / line->slope;
  return LossCrossing{centre * std::exp(at), std::sqrt(line->variance_at(at)) / line->slope,
                      line->slope};
}

/// The SLO holds up to the highest rate that the queue carries: the bound is stability or loss.
SloCrossing at_bound(const Merged& holds, const Merged& fails, const std::vector<Merged>& points,
                     const SloCrossingOptions& options) {
  SloCrossing result;
  // No rate above saturation is stable, so a failure far beyond it bounds the cliff no less than
  // saturation does.
  const double top = std::clamp(options.saturation_per_s, holds.rate_per_s, fails.rate_per_s);
  result.bracket_low = holds.rate_per_s;
  const bool by_loss = fails.stable && fails.loss > options.max_loss;
  const bool near = fails.rate_per_s <= holds.rate_per_s * kWidestBracket;
  result.bracket_high = by_loss || near ? fails.rate_per_s : top;
  if (result.bracket_high > holds.rate_per_s * kWidestBracket) {
    result.value = holds.rate_per_s;
    result.reached = Reached::above;
    result.at = holds;
    return result;
  }
  result.reached = Reached::ok;
  result.limited_by = LimitedBy::saturation;
  if (by_loss) {
    // Loss grows as a power of the load, so it crosses on a line of logarithms.
    const double least = 0.5 / std::max(1.0, holds.requests);
    const double low = std::log(std::max(holds.loss, least));
    const double high = std::log(fails.loss);
    const double part = std::clamp((std::log(options.max_loss) - low) / (high - low), 0.0, 1.0);
    result.by_loss = true;
    result.value = holds.rate_per_s * std::pow(fails.rate_per_s / holds.rate_per_s, part);
    const auto fit = loss_crossing(points, result.value, options.max_loss);
    if (fit && fit->rate_per_s > holds.rate_per_s / (1 + kFollow) &&
        fit->rate_per_s < fails.rate_per_s * (1 + kFollow)) {
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

/// Requests beyond the bound, fitted around a rate.
struct Fit {
  double crossing = 0, misfit = 0;
  double slope = 0;  ///< of the logarithm of the share beyond the bound
  double deviation = 0, power_of_room = 0, degrees = 0;  ///< as in SloCrossing
};

/// Nothing where too few points are near, or the line does not cross the bound among them.
std::optional<Fit> fit_near(const std::vector<Merged>& good, double centre, double within,
                            const SloCrossingOptions& options) {
  const double above = -std::log(1 - options.slo_percentile / 100);
  const double room = options.saturation_per_s - centre;
  const bool known = options.bursts != nullptr && room > kLeastRoom * options.saturation_per_s;
  const TwinFit* twin =
      known && options.twin != nullptr && options.twin->used() ? options.twin : nullptr;
  const double unit = known ? room : centre;
  const double scale = std::max(centre, known ? kReachOfRoom * room : 0);
  const double reach = within * scale;
  const double follow = std::min(kFollow * scale, kFarthest * centre);
  std::vector<CountedPoint> counted;
  double lowest = 0, highest = 0;
  int rates = 0;
  for (const Merged& point : good) {
    const double distance = std::abs(point.rate_per_s - centre) / reach;
    if (distance >= 1) continue;
    // Tricube: the line is asked about its centre, so the far points only steady it.
    const double near = 1 - distance * distance * distance;
    // Beside saturation the length of a burst has no bound, and says nothing of one rate's weight.
    const double burst =
        options.bursts == nullptr
            ? 1
            : options.bursts->index_of_dispersion(known ? point.rate_per_s : centre);
    counted.push_back({.x = (point.rate_per_s - centre) / unit,
                       .exposure = point.responses,
                       .count = point.beyond[options.bound],
                       .weight = near * near * near,
                       .dispersion = burst});
    if (twin != nullptr) {
      counted.back().exposure =
          point.exposure[options.bound] *
          std::exp(twin->log_share(point.rate_per_s) - twin->log_share(centre));
      counted.back().dispersion = twin->dispersion;
    }
    if (lowest == 0) lowest = point.rate_per_s;
    if (point.rate_per_s > highest) ++rates;
    highest = point.rate_per_s;
  }
  if (rates < (known ? 2 : 3)) return std::nullopt;
  // One request beyond the bound more or less says little: twins that fit are worth half of one, so
  // that none at all is not taken for never.
  if (twin != nullptr)
    counted.push_back(
        {.x = 0,
         .exposure = kWorthOfTwins * twin->dispersion * std::exp(-twin->log_share(centre)),
         .count = kWorthOfTwins * twin->dispersion,
         .dispersion = twin->dispersion});
  // The slope is known from saturation, or that of the twins is, which the line departs from.
  const SlopePrior prior = {
      .mean = twin != nullptr ? 0 : above,
      .deviation = twin != nullptr ? twin->slope_deviation : kSlopeDeviation * above};
  const auto line = poisson_regression(counted, known ? prior : SlopePrior{});
  if (!line) return std::nullopt;
  // Two rates may be interpolated; three are followed past the last.
  const double past = rates < 3 ? 0 : follow;
  double at = (-above - line->level) / line->slope, slope = line->slope;
  if (twin != nullptr) {
    const auto log_share = [&](double x) {
      return line->at(x) + twin->log_share(centre + x * unit) - twin->log_share(centre);
    };
    double low = (lowest - past - centre) / unit, high = (highest + past - centre) / unit;
    if (!(log_share(low) < -above && log_share(high) > -above)) return std::nullopt;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = (low + high) / 2;
      (log_share(middle) < -above ? low : high) = middle;
    }
    at = low;
    constexpr double kBeside = 0.02;
    slope = (log_share(at + kBeside) - log_share(at - kBeside)) / (2 * kBeside);
  }
  if (!(slope > 0)) return std::nullopt;
  const double crossing = centre + at * unit;
  if (crossing < lowest - past || crossing > highest + past) return std::nullopt;
  if (known && crossing >= options.saturation_per_s) return std::nullopt;
  return Fit{.crossing = crossing,
             .misfit = poisson_misfit(counted, *line, kTolerance),
             .slope = slope / unit,
             .deviation = std::hypot(std::sqrt(line->variance_at(at)),
                                     twin != nullptr ? twin->long_run_error : 0),
             .power_of_room = known ? slope * (options.saturation_per_s - crossing) / unit : 0,
             .degrees = twin != nullptr ? twin->degrees : 0};
}

void take(const Fit& fit, SloCrossing& result) {
  result.value = fit.crossing;
  result.beyond_deviation = fit.deviation;
  result.power_of_room = fit.power_of_room;
  result.degrees = fit.degrees;
}

/// Not by the stall of one block: in most of its blocks, and in two where there are `most` of them.
bool surely_broken(const Merged& point, double most, const SloCrossingOptions& options) {
  return deviations_beyond(point, options) > kSure && point.blocks >= std::min(2.0, most) &&
         2 * point.blocks_over[options.bound] > point.blocks;
}

/// Where latency falls with the rate before it rises, the low rates that surely break the bound and
/// lie below one that keeps it are no part of the rise: the number of leading points to leave out.
std::size_t broken_below(const std::vector<Merged>& points, const SloCrossingOptions& options) {
  double blocks = 0;
  for (const Merged& point : points) blocks = std::max(blocks, point.blocks);
  std::size_t after = 0, broken = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Merged& point = points[i];
    if (!point.stable || point.loss > options.max_loss || !(point.percentile_ns > 0)) continue;
    if (surely_broken(point, blocks, options)) {
      broken = i + 1;
    } else if (point.percentile_ns <= options.slo_ns) {
      after = broken;
    }
  }
  return after;
}

SloCrossing crossing_of_rise(const std::vector<Merged>& points, const SloCrossingOptions& options);

}  // namespace

double deviations_beyond(const Merged& point, const SloCrossingOptions& options) {
  const double allowed = (1 - options.slo_percentile / 100) * point.responses;
  if (!(allowed > 0)) return 0;
  const double burst =
      options.bursts == nullptr ? 1 : options.bursts->index_of_dispersion(point.rate_per_s);
  return (point.beyond[options.bound] - allowed) / std::sqrt(allowed * std::max(1.0, burst));
}

SloCrossing find_slo_crossing(const std::vector<Merged>& points,
                              const SloCrossingOptions& options) {
  const std::size_t below = broken_below(points, options);
  if (below == 0) return crossing_of_rise(points, options);
  SloCrossing result = crossing_of_rise(
      {points.begin() + static_cast<std::ptrdiff_t>(below), points.end()}, options);
  // Blocks that differ leave no order above either: then nothing sets those rates apart.
  if (result.reached == Reached::below || result.reached == Reached::unmeasured)
    return crossing_of_rise(points, options);
  double blocks = 0;
  for (const Merged& point : points) blocks = std::max(blocks, point.blocks);
  for (std::size_t i = 0; i < below; ++i) {
    if (!surely_broken(points[i], blocks, options)) continue;
    if (result.broken_from == 0) result.broken_from = points[i].rate_per_s;
    result.broken_to = points[i].rate_per_s;
  }
  return result;
}

namespace {

SloCrossing crossing_of_rise(const std::vector<Merged>& points, const SloCrossingOptions& options) {
  SloCrossing result;
  result.value = kNaN;
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
  // A search that fell short leaves the crossing just beyond its rates.
  const auto beyond = [&](double edge) {
    auto fit = fit_near(good, edge, options.fit_within, options);
    if (fit) fit = fit_near(good, fit->crossing, options.fit_within, options);
    if (!fit || !(fit->misfit <= kNoLine)) return false;
    take(*fit, result);
    result.reached = Reached::ok;
    result.limited_by = LimitedBy::slo;
    result.bracket_low = std::min(edge, fit->crossing);
    result.bracket_high = std::max(edge, fit->crossing);
    return true;
  };
  // Where twins say how lucky each rate was, the percentiles themselves need not cross.
  if (!good.empty() && options.twin != nullptr && options.twin->used()) {
    const double expected = options.twin->crossing(std::log(1 - options.slo_percentile / 100));
    // The queue does not hold from there on: where it loses too much, somewhere above the last good
    // rate already.
    const double limit = bound == points.size() ? std::numeric_limits<double>::infinity()
                         : points[bound].loss > options.max_loss ? good.back().rate_per_s
                                                                 : points[bound].rate_per_s;
    const SloCrossing unchanged = result;
    const bool found =
        beyond(std::clamp(expected, good.front().rate_per_s, good.back().rate_per_s));
    if (found && result.value > limit) result = unchanged;
    if (found && result.reached == Reached::ok) {
      const auto above = std::find_if(good.begin(), good.end(), [&](const Merged& point) {
        return point.rate_per_s >= result.value;
      });
      if (above != good.begin()) result.bracket_low = std::prev(above)->rate_per_s;
      if (above != good.end()) result.bracket_high = above->rate_per_s;
      return result;
    }
  }
  if (good.empty() || level.front() > target) {
    if (!good.empty() && beyond(good.front().rate_per_s)) return result;
    result.value = result.bracket_low = result.bracket_high = points.front().rate_per_s;
    result.reached = Reached::below;
    result.at = points.front();
    if (!good.empty()) result.at.percentile_ns = std::exp(level.front());
    return result;
  }
  if (level.back() <= target) {
    const double last = good.back().rate_per_s;
    const bool open_above =
        bound == points.size() ||
        std::min(points[bound].rate_per_s, options.saturation_per_s) > last * kWidestBracket;
    if (open_above && beyond(last)) return result;
    if (bound < points.size()) {
      return at_bound(good.back(), points[bound], points, options);
    }
    result.value = result.bracket_low = result.bracket_high = good.back().rate_per_s;
    result.reached = Reached::above;
    result.at = good.back();
    result.at.percentile_ns = std::exp(level.back());
    return result;
  }

  std::size_t over = 1;
  while (level[over] <= target) ++over;
  const Merged& before = good[over - 1];
  const Merged& after = good[over];
  result.reached = Reached::ok;
  result.limited_by = LimitedBy::slo;
  result.bracket_low = before.rate_per_s;
  result.bracket_high = after.rate_per_s;

  const double a = std::exp(-level[over - 1]), b = std::exp(-level[over]);
  const double between = (a - 1 / options.slo_ns) / (a - b);
  const double rough = before.rate_per_s + between * (after.rate_per_s - before.rate_per_s);
  const double log_between = (target - level[over - 1]) / (level[over] - level[over - 1]);
  result.value = before.rate_per_s + log_between * (after.rate_per_s - before.rate_per_s);

  const SloCrossing interpolated = result;
  for (double within = options.fit_within; within > 0.02; within *= 0.7) {
    auto fit = fit_near(good, rough, within, options);
    if (fit) fit = fit_near(good, fit->crossing, within, options);
    if (!fit) break;
    // A step between the two rates: their counts do not say where, and their percentiles do.
    if (fit->slope * (after.rate_per_s - before.rate_per_s) > kStep) {
      result = interpolated;
      break;
    }
    // Beside saturation no slope is known beforehand, and a line leads past what can be carried.
    const bool inside = fit->crossing >= before.rate_per_s && fit->crossing <= after.rate_per_s;
    if (!(fit->misfit <= kNoLine) || (fit->power_of_room == 0 && !inside)) continue;
    take(*fit, result);
    if (fit->misfit <= kBend) break;
  }
  if (result.beyond_deviation > 0) return result;
  // No line through several. Two neighbours a small step apart still share one.
  if (after.percentile_ns < 3 * before.percentile_ns) result.value = rough;
  return result;
}

}  // namespace
}  // namespace precipice
