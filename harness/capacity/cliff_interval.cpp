#include "harness/capacity/cliff_interval.hpp"

#include <algorithm>
#include <cmath>

#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;

constexpr double kLeastPrior = 2;
// The interval of a cliff, from the coverage study: its skew, its factor, and how a deviation of
// several hundred percent levels off, since no fewer than no request can lie above a bound.
constexpr double kSkew = 0.14, kWidth = 0.88, kLevelOff = 0.9;
// Seen among the blocks, as a multiple of what bursts alone would scatter.
constexpr double kMoreThanBursts = 2;

/// Standard deviation of the median of n normal values, over that of their mean (Kendall and
/// Stuart, The Advanced Theory of Statistics 1, 14.6; exact for few).
double median_inefficiency(std::size_t n) {
  constexpr double kExact[] = {1, 1, 1, 1.160, 1.092, 1.197, 1.135, 1.214, 1.160, 1.223};
  if (n < std::size(kExact)) return kExact[n];
  return std::sqrt(1.570796 * (1 - (n % 2 == 1 ? 0.57 : 1.43) / static_cast<double>(n)));
}

double level_off(double deviation) {
  return deviation / std::sqrt(1 + kLevelOff * deviation * deviation);
}

/// The rate at which the loss crosses its bound lies within this factor of the one whose loss is
/// `lost` requests where `allowed` may be: the one-sided 95% bounds of a Poisson count.
double loss_margin(double lost, double allowed, double power, bool upper) {
  const double z = student_t(0.95, 1e6);
  const double bound = upper ? lost + z * z / 2 + z * std::sqrt(lost + 1)
                             : lost * std::exp(-z / std::sqrt(std::max(lost, 0.25)));
  return std::pow(allowed / bound, 1 / power);
}

}  // namespace

void CliffIntervals::bound(Estimate& estimate, const std::vector<double>& values,
                           const IntervalBasis& bounds) const {
  double relative = bounds.of_one_block;
  if (groups_.blocks > 1) {
    std::vector<double> logs;
    for (const double value : values) {
      if (value > 0 && std::isfinite(value)) logs.push_back(std::log(value));
    }
    const auto n = static_cast<double>(groups_.blocks);
    const double seen = standard_deviation(logs) * std::sqrt(n / (n - 1));
    relative = std::isfinite(bounds.expected) ? pooled_bound(bounds.expected, seen, bounds.prior)
                                              : student_t(0.975, n - 1) * seen;
  }
  relative = std::hypot(relative, bounds.systematic);
  if (groups_.blocks > 1) {
    const double own = static_cast<double>(groups_.blocks) - 1;
    keep_deviation(estimate, relative,
                   std::isfinite(bounds.expected) ? pooled_degrees(bounds.prior) : own);
  }
  double below = relative, above = relative;
  if (bounds.skewed_by > 0) {
    const double skew = kSkew * bounds.skewed_by;
    below = std::expm1(skew * relative) / skew;
    above = -std::expm1(-skew * relative) / skew;
  }
  estimate.low = estimate.value * std::exp(-below);
  estimate.high = estimate.value * std::exp(above);
}

void CliffIntervals::bound_crossing(Estimate& estimate, const SloCrossing& crossing,
                                    const std::vector<double>& values, double ceiling) const {
  const double left = ceiling - estimate.value;
  if (!(left > kLeastRoom * ceiling)) {
    bound(estimate, values, {.of_one_block = 0.5 * estimate.resolution});
    if (groups_.blocks > 1) return;
    estimate.low = std::min(estimate.low, crossing.bracket_low);
    estimate.high = std::max(estimate.high, crossing.bracket_high);
    return;
  }
  const double power = crossing.power_of_room > 0 ? crossing.power_of_room : usual_power();
  const double expected = crossing.beyond_deviation > 0
                              ? crossing.beyond_deviation
                              : bursts_.at(crossing.value, static_cast<double>(groups_.blocks) *
                                                               crossing.value * options_.window_s);
  double seen = kNaN, room = left;
  if (groups_.blocks > 1) {
    std::vector<double> logs;
    for (const double value : values) {
      if (value > 0) logs.push_back(std::log(std::max(ceiling - value, kLeastRoom * ceiling)));
    }
    const auto n = static_cast<double>(groups_.blocks);
    const double deviation = standard_deviation(logs) * std::sqrt(n / (n - 1));
    seen = deviation * power;
  }
  const double levelled = level_off(expected);
  // The logarithm of a number of few bursts lies below that of the truth.
  room *= std::exp(levelled * levelled / 2 / power);
  estimate.value = std::max(0.0, ceiling - room);
  const IntervalPrior prior =
      crossing.degrees > 0 ? IntervalPrior{crossing.degrees, kOfCliff.least} : kOfCliff;
  const Spread spread = spread_of_room(expected, seen, power, prior);
  estimate.low = std::max(0.0, ceiling - room * std::exp(spread.more));
  estimate.high = ceiling - room * std::exp(-spread.fewer);
  // Of the value as of its room: to first order, by what the room is of it.
  if (groups_.blocks > 1 && estimate.value > 0)
    keep_deviation(estimate, spread.bound * room / estimate.value, pooled_degrees(prior));
  if (seen > kMoreThanBursts * levelled) {
    // Blocks that differ by more than bursts explain differ in what they carry: what is left is
    // no measure of that, least of all where little is.
    Estimate by_blocks = estimate;
    bound(by_blocks, values, {});
    estimate.low = std::max(estimate.low, by_blocks.low);
  }
}

void CliffIntervals::keep_deviation(Estimate& estimate, double bound, double degrees) {
  estimate.log_deviation = bound / student_t(0.975, degrees);
  estimate.degrees = degrees;
}

void CliffIntervals::bound_censored(Estimate& estimate, const SloCrossing& crossing,
                                    const CliffReadings& all, double slo_ns) const {
  const Merged& at = crossing.at;
  const bool above = crossing.reached == Reached::above;
  const double left = all.saturation - crossing.value;
  double end = crossing.value;
  if (left > kLeastRoom * all.saturation && at.stable && at.percentile_ns > 0) {
    // 1 / percentile falls with the rate to 0 at saturation.
    const double room = left * at.percentile_ns / slo_ns;
    const Spread spread = spread_of_room(bursts_.at(crossing.value, at.requests), kNaN,
                                         usual_power(), kOfCliff, 0.95);
    if (above) end = std::min(end, all.saturation - room * std::exp(spread.more));
    if (!above && at.loss <= options_.max_loss)
      end = std::max(end, all.saturation - room * std::exp(-spread.fewer));
  }
  if (std::isfinite(all.loss_power)) {
    const double lost = at.loss * at.requests, allowed = options_.max_loss * at.requests;
    const double rate = crossing.value * loss_margin(lost, allowed, all.loss_power, above);
    if (above) end = std::min(end, rate);
    if (!above && at.loss > options_.max_loss) end = std::max(end, rate);
  }
  // One-sided: nothing is said about the other end.
  estimate.low = above ? std::max(0.0, end) : 0;
  estimate.high = above ? kInfinity : end;
}

void CliffIntervals::bound_by_blocks(Estimate& estimate, const CliffReadings& all) const {
  const std::vector<RateGroup>& groups = all.saturated_rate > 0 ? groups_.open : groups_.closed;
  const auto group = std::find_if(groups.begin(), groups.end(), [&](const RateGroup& each) {
    return each.rate_per_s == all.saturated_rate && each.closed == all.saturated_closed;
  });
  std::vector<double> logs;
  double requests = 0;
  for (const GroupMember& member : group->members) {
    if (member.goodput_per_s > 0) logs.push_back(std::log(member.goodput_per_s));
    requests += member.requests;
  }
  const auto n = static_cast<double>(logs.size());
  // One block shows no variation between blocks; the count of a trial still has its own.
  double relative = 0.5 * estimate.resolution;
  if (logs.size() > 1) {
    relative = student_t(0.975, n - 1) * median_inefficiency(logs.size()) *
               standard_deviation(logs) / std::sqrt(n);
    relative = std::max(relative, 1 / std::max(1.0, requests));  // a count is whole
    keep_deviation(estimate, relative, n - 1);
  }
  estimate.low = estimate.value * std::exp(-relative);
  estimate.high = estimate.value * std::exp(relative);
}

void CliffIntervals::reach_what_is_sure(Estimate& estimate, std::size_t bound,
                                        double slo_ns) const {
  const SloCrossingOptions options = {.slo_ns = slo_ns,
                                      .bound = bound,
                                      .slo_percentile = options_.slo_percentile,
                                      .max_loss = options_.max_loss,
                                      .bursts = &bursts_};
  double kept = 0;
  for (const RateGroup& group : groups_.open) {
    const auto merged = group.merge(BlockWeights(groups_.blocks, 1), options_.slo_percentile);
    if (!merged) continue;
    const double beyond = deviations_beyond(*merged, options);
    const bool holds = merged->stable && merged->loss <= options_.max_loss;
    if (holds && beyond < -kSure) {
      kept = merged->rate_per_s;
    } else if (holds && beyond > kSure && kept > 0) {
      estimate.low = std::min(estimate.low, merged->rate_per_s);
      estimate.high = std::max(estimate.high, kept);
      return;
    }
  }
}

double CliffIntervals::deviation_by_loss(const SloCrossing& crossing, double power) const {
  if (crossing.loss_deviation > 0) return crossing.loss_deviation;
  const double lost = 2 * options_.max_loss * static_cast<double>(groups_.blocks) * crossing.value *
                      options_.window_s;
  return 1 / std::sqrt(lost) / power;
}

double CliffIntervals::usual_power() const {
  return -std::log(std::max(1e-9, 1 - options_.slo_percentile / 100));
}

double CliffIntervals::pooled_degrees(const IntervalPrior& prior) const {
  const auto n = static_cast<double>(groups_.blocks);
  return std::max(kLeastPrior, prior.degrees + 1 - n) + n - 1;
}

double CliffIntervals::pooled_bound(double expected, double seen, const IntervalPrior& prior,
                                    double side) const {
  const auto n = static_cast<double>(groups_.blocks);
  const double degrees = pooled_degrees(prior), known = degrees - (n - 1);
  const double pooled = std::sqrt((known * expected * expected + (n - 1) * seen * seen) / degrees);
  return std::max(student_t(side, degrees) * pooled, prior.least * student_t(side, 1e6) * expected);
}

CliffIntervals::Spread CliffIntervals::spread_of_room(double expected, double seen, double power,
                                                      const IntervalPrior& prior,
                                                      double side) const {
  expected = level_off(expected);
  if (!std::isfinite(seen)) seen = expected;
  const double spread = kWidth * pooled_bound(expected, seen, prior, side);
  return {std::expm1(kSkew * spread) / kSkew / power, -std::expm1(-kSkew * spread) / kSkew / power,
          spread / power};
}

}  // namespace precipice
