#include "harness/capacity/cliff.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "harness/capacity/dispersion.hpp"
#include "harness/capacity/knee.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/slo_crossing.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;

// The deviation that bursts alone would cause counts with the blocks' own, so that two or three
// blocks do not speak for themselves alone: together they have so many degrees of freedom, and it
// has kLeastPrior at the least; no interval is narrower than with the share `least` of it.
struct Prior {
  double degrees, least;
};
constexpr Prior kOfCliff = {6, 0.95}, kOfKnee = {5, 0};
constexpr double kLeastPrior = 2;
// The interval of a cliff, from the coverage study: its skew, its factor, and how a deviation of
// several hundred percent levels off, since no fewer than no request can lie above a bound.
constexpr double kSkew = 0.14, kWidth = 0.88, kLevelOff = 0.9;
// Seen among the blocks, as a multiple of what bursts alone would scatter.
constexpr double kMoreThanBursts = 2;
// A loss grows as a power of the rate, which the lossy points show and which is believed within
// these bounds.
constexpr double kLeastLossPower = 2, kMostLossPower = 8;
constexpr double kMuchLoss = 0.05;      // the power bends from here on
constexpr double kMostOffByLoss = 0.3;  // the most that a crossing's own bias is believed
// What the form of the mean response errs about a knee: in general, and where requests are refused.
// From the coverage study.
constexpr double kFormError = 0.02, kFormErrorWithLoss = 0.10;
/// What is read off one resample.
struct Readings {
  double saturated_rate = 0;           ///< of the group whose goodput it is; 0: a closed loop
  std::uint64_t saturated_closed = 0;  ///< of this many
  double saturation = kNaN, retention = kNaN;
  Knee knee;
  double loss_power = kNaN;  ///< the loss goes with this power of the rate; NaN: nothing is lost
  SloCrossing cliff, cliff5, cliff20;
};

/// Standard deviation of the median of n normal values, over that of their mean (Kendall and
/// Stuart, The Advanced Theory of Statistics 1, 14.6; exact for few).
double median_inefficiency(std::size_t n) {
  constexpr double kExact[] = {1, 1, 1, 1.160, 1.092, 1.197, 1.135, 1.214, 1.160, 1.223};
  if (n < std::size(kExact)) return kExact[n];
  return std::sqrt(1.570796 * (1 - (n % 2 == 1 ? 0.57 : 1.43) / static_cast<double>(n)));
}

/// Of the cliff, of the tighter and of the looser one.
PerBound bounds_of(const CliffOptions& options) {
  const double s = options.service_time_ns;
  return {options.slo_ns, s > 0 ? 5 * s : options.slo_ns / 2, s > 0 ? 20 * s : options.slo_ns * 2};
}

double steepness(const CellResult& result) {
  for (const Estimate* each : {&result.cliff, &result.cliff5, &result.cliff20}) {
    if (each->reached != Reached::ok) return kNaN;
  }
  return (result.cliff20.value - result.cliff5.value) / result.cliff.value;
}

/// Moves a value that was reached to within the two, and its interval as far as to hold it.
void move_between(Estimate& estimate, double least, double most) {
  if (estimate.reached != Reached::ok) return;
  estimate.value = std::min(std::max(estimate.value, least), most);
  estimate.low = std::min(estimate.low, estimate.value);
  estimate.high = std::max(estimate.high, estimate.value);
}

class Analysis {
 public:
  Analysis(const std::vector<Point>& points, const CliffOptions& options)
      : options_(options),
        bounds_ns_(bounds_of(options)),
        groups_(RateGroups::gather(points, options.slo_percentile, bounds_ns_)),
        ended_(std::any_of(points.begin(), points.end(), of_a_block)),
        loop_still_grew_(still_grew(points)) {}

  CellResult run() {
    CellResult result;
    for (const RateGroup& group : groups_.closed) {
      std::vector<double> goodputs;
      for (const GroupMember& member : group.members) goodputs.push_back(member.goodput_per_s);
      result.closed_loop_plateau_per_s =
          std::fmax(result.closed_loop_plateau_per_s, median(std::move(goodputs)));
    }
    const Resample once = draw(BlockWeights(groups_.blocks, 1));
    const Merged* saturated_point = highest_goodput(once);
    bursts_.emplace(groups_.open,
                    saturated_point == nullptr ? kNaN : saturated_point->goodput_per_s,
                    options_.slo_percentile);
    const Readings all = read(once);

    std::vector<Readings> resamples;
    if (groups_.blocks > 1) {
      Random random(options_.seed);
      for (int b = 0; b < options_.bootstrap; ++b) {
        BlockWeights weights(groups_.blocks, 0);
        for (std::size_t i = 0; i < groups_.blocks; ++i) ++weights[random.below(groups_.blocks)];
        resamples.push_back(read(draw(weights)));
      }
    }

    result.saturation = saturation(all);
    result.cliff = cliff(all, resamples, &Readings::cliff, bounds_ns_[0]);
    result.cliff5 = cliff(all, resamples, &Readings::cliff5, bounds_ns_[1]);
    result.cliff20 = cliff(all, resamples, &Readings::cliff20, bounds_ns_[2]);
    result.knee = knee(all, resamples);
    result.overload_retention = retention(all, resamples);
    result.steepness = steepness(result);
    result.broken_from_per_s = all.cliff.broken_from;
    result.broken_to_per_s = all.cliff.broken_to;
    if (groups_.blocks < 2) {
      for (Estimate* each : {&result.saturation, &result.cliff, &result.cliff5, &result.cliff20,
                             &result.knee, &result.overload_retention})
        each->low = each->high = kNaN;
    }
    return result;
  }

 private:
  static bool of_a_block(const Point& point) {
    return point.valid && point.closed == 0 && point.phase != Phase::coarse;
  }
  static bool still_grew(const std::vector<Point>& points) {
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

  struct Resample {
    std::vector<Merged> open, closed;
  };

  Resample draw(const BlockWeights& weights) const {
    Resample result;
    // Not every block measures saturation, and without it nothing else can be read.
    const BlockWeights once(groups_.blocks, 1);
    for (const RateGroup& group : groups_.open) {
      auto merged = group.merge(weights, options_.slo_percentile);
      if (!merged && group.overloaded()) merged = group.merge(once, options_.slo_percentile);
      if (merged) result.open.push_back(*merged);
    }
    for (const RateGroup& group : groups_.closed) {
      auto merged = group.merge(weights, options_.slo_percentile);
      if (!merged) merged = group.merge(once, options_.slo_percentile);
      if (merged) result.closed.push_back(*merged);
    }
    return result;
  }

  Readings read(const Resample& sample) const {
    const std::vector<Merged>& open = sample.open;
    Readings readings;
    const Merged* saturated_point = highest_goodput(sample);
    readings.saturation = saturated_point == nullptr ? kNaN : saturated_point->goodput_per_s;
    if (saturated_point != nullptr) {
      readings.saturated_rate = saturated_point->rate_per_s;
      readings.saturated_closed = saturated_point->rate_per_s > 0 ? 0 : saturated_point->closed;
    }
    const auto crossing = [&](std::size_t bound) {
      return find_slo_crossing(open, {.slo_ns = bounds_ns_[bound],
                                      .bound = bound,
                                      .slo_percentile = options_.slo_percentile,
                                      .max_loss = options_.max_loss,
                                      .fit_within = options_.fit_within,
                                      .saturation_per_s = readings.saturation,
                                      .bursts = &*bursts_});
    };
    readings.cliff = crossing(0);
    readings.cliff5 = crossing(1);
    readings.cliff20 = crossing(2);
    readings.retention = overload_retention(open, readings.saturation);
    readings.knee = find_knee(open, readings.saturation, options_.max_loss);
    readings.loss_power = loss_power(open);
    return readings;
  }

  /// Slope of log loss over log rate, by the number lost; NaN where no queue that holds loses more
  /// than it may.
  double loss_power(const std::vector<Merged>& open) const {
    std::vector<double> x, y, weight;
    bool lossy = false;
    for (const Merged& point : open) {
      if (!point.stable || !(point.loss > 0)) continue;
      lossy = lossy || point.loss > options_.max_loss;
      x.push_back(std::log(point.rate_per_s));
      y.push_back(std::log(point.loss));
      // Far above the bound the power bends: all but the capacity is refused.
      weight.push_back(point.loss * point.requests * std::exp(-point.loss / kMuchLoss));
    }
    if (!lossy) return kNaN;
    if (x.size() < 2) return kLeastLossPower;
    return std::clamp(polynomial_fit(x, y, weight, 1)[1], kLeastLossPower, kMostLossPower);
  }

  /// The highest of several noisy medians is biased upwards; among saturated ones that cannot be
  /// told apart from it, the one that rests on most requests speaks.
  static const Merged* highest_goodput(const Resample& sample) {
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

  static double overload_retention(const std::vector<Merged>& open, double saturation) {
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

  struct Bounds {
    double expected = kNaN;  ///< as in pooled_bound; NaN: not known, the blocks speak alone
    Prior prior = kOfCliff;
    double systematic = 0;  ///< added in squares
    double of_one_block = 0;
    double skewed_by = 0;  ///< as a gamma variable of which it is this root; 0: symmetric
  };

  /// On the logarithm, all relative: t quantile x the bootstrap's deviation x sqrt(n / (n - 1)).
  void bound(Estimate& estimate, const std::vector<double>& values, const Bounds& bounds) const {
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
    double below = relative, above = relative;
    if (bounds.skewed_by > 0) {
      const double skew = kSkew * bounds.skewed_by;
      below = std::expm1(skew * relative) / skew;
      above = -std::expm1(-skew * relative) / skew;
    }
    estimate.low = estimate.value * std::exp(-below);
    estimate.high = estimate.value * std::exp(above);
  }

  /// For a crossing of a percentile. Requests above a bound come in bursts, so that their number in
  /// a block is about gamma distributed: seldom many, mostly few, and an interval that is symmetric
  /// lies too high too often. What is left up to `ceiling` goes with a power of that number, the
  /// crossing's; the quantiles of a gamma variable with its deviation are approached by an
  /// exponential of a part of it.
  void bound_below(Estimate& estimate, const SloCrossing& crossing,
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
    const double expected =
        crossing.beyond_deviation > 0
            ? crossing.beyond_deviation
            : bursts_->at(crossing.value,
                          static_cast<double>(groups_.blocks) * crossing.value * options_.window_s);
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
    const Spread spread = spread_of_room(expected, seen, power);
    estimate.low = std::max(0.0, ceiling - room * std::exp(spread.more));
    estimate.high = ceiling - room * std::exp(-spread.fewer);
    if (seen > kMoreThanBursts * levelled) {
      // Blocks that differ by more than bursts explain differ in what they carry: what is left is
      // no measure of that, least of all where little is.
      Estimate by_blocks = estimate;
      bound(by_blocks, values, {});
      estimate.low = std::max(estimate.low, by_blocks.low);
    }
  }

  struct Spread {
    double more = 0, fewer = 0;  ///< 95% on the logarithm of what is left to saturation
  };

  /// Of what is left to saturation, for a tail that falls exponentially with it.
  double usual_power() const {
    return -std::log(std::max(1e-9, 1 - options_.slo_percentile / 100));
  }

  /// Few blocks can agree, or differ, by chance: the deviation that bursts alone would cause is
  /// `expected`, and is pooled with what was `seen`. The quantile `side`.
  double pooled_bound(double expected, double seen, const Prior& prior, double side = 0.975) const {
    const auto n = static_cast<double>(groups_.blocks);
    const double known = std::max(kLeastPrior, prior.degrees + 1 - n);
    const double degrees = known + n - 1;
    const double pooled =
        std::sqrt((known * expected * expected + (n - 1) * seen * seen) / degrees);
    return std::max(student_t(side, degrees) * pooled,
                    prior.least * student_t(side, 1e6) * expected);
  }

  static double level_off(double deviation) {
    return deviation / std::sqrt(1 + kLevelOff * deviation * deviation);
  }

  /// The number above a percentile goes with this power of what is left to saturation; its
  /// deviation by bursts alone is `expected`, and `seen` by the blocks (NaN: by none).
  Spread spread_of_room(double expected, double seen, double power, double side = 0.975) const {
    expected = level_off(expected);
    if (!std::isfinite(seen)) seen = expected;
    const double spread = kWidth * pooled_bound(expected, seen, kOfCliff, side);
    return {std::expm1(kSkew * spread) / kSkew / power,
            -std::expm1(-kSkew * spread) / kSkew / power};
  }

  /// Where the loss is what is allowed, it rests on a handful of requests of two rates, or of those
  /// that a power was fitted to.
  double deviation_by_loss(const SloCrossing& crossing, double power) const {
    if (crossing.loss_deviation > 0) return crossing.loss_deviation;
    const double lost = 2 * options_.max_loss * static_cast<double>(groups_.blocks) *
                        crossing.value * options_.window_s;
    return 1 / std::sqrt(lost) / power;
  }

  /// The rate at which the loss crosses its bound lies within this factor of the one whose loss is
  /// `lost` requests where `allowed` may be: the one-sided 95% bounds of a Poisson count.
  static double loss_margin(double lost, double allowed, double power, bool upper) {
    const double z = student_t(0.95, 1e6);
    const double bound = upper ? lost + z * z / 2 + z * std::sqrt(lost + 1)
                               : lost * std::exp(-z / std::sqrt(std::max(lost, 0.25)));
    return std::pow(allowed / bound, 1 / power);
  }

  /// A censored answer has an uncertain end too: the point where the search stopped held, or broke,
  /// the bound by a percentile, and by a loss, that were measured.
  void bound_censored(Estimate& estimate, const SloCrossing& crossing, const Readings& all,
                      double slo_ns) const {
    const Merged& at = crossing.at;
    const bool above = crossing.reached == Reached::above;
    const double left = all.saturation - crossing.value;
    double end = crossing.value;
    if (left > kLeastRoom * all.saturation && at.stable && at.percentile_ns > 0) {
      // 1 / percentile falls with the rate to 0 at saturation.
      const double room = left * at.percentile_ns / slo_ns;
      const Spread spread =
          spread_of_room(bursts_->at(crossing.value, at.requests), kNaN, usual_power(), 0.95);
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

  template <class Read>
  static std::vector<double> collect(const std::vector<Readings>& resamples, Read read) {
    std::vector<double> values;
    for (const Readings& each : resamples) values.push_back(read(each));
    return values;
  }

  double resolution(double rate) const {
    return rate > 0 ? 2 * std::sqrt(2 / (rate * options_.window_s)) : 0;
  }

  static Estimate unmeasured() {
    Estimate estimate;
    estimate.value = estimate.low = estimate.high = kNaN;
    return estimate;
  }

  /// A median over blocks: Student's interval with the deviation between blocks, widened by what
  /// the median of n normal values scatters more than their mean. A bootstrap of so few medians
  /// would be a third too wide.
  void bound_by_blocks(Estimate& estimate, const Readings& all) const {
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
    }
    estimate.low = estimate.value * std::exp(-relative);
    estimate.high = estimate.value * std::exp(relative);
  }

  Estimate saturation(const Readings& all) const {
    Estimate estimate = unmeasured();
    if (!(all.saturation > 0)) return estimate;
    estimate.value = all.saturation;
    estimate.reached = Reached::ok;
    estimate.resolution = resolution(all.saturation);
    bound_by_blocks(estimate, all);
    // Where the most was carried by an open loop that kept up, and none that did not is known, the
    // limit is the generator's or the backend's, and the figure a lower bound.
    double closed = 0;
    bool overloaded = false;
    for (const RateGroup& group : groups_.closed) {
      for (const GroupMember& member : group.members)
        closed = std::max(closed, member.goodput_per_s);
    }
    for (const RateGroup& group : groups_.open) {
      // One that did not keep up at a lower rate was disturbed.
      if (group.rate_per_s < (1 - kLeastRoom) * estimate.value) continue;
      for (const GroupMember& member : group.members) overloaded = overloaded || !member.stable;
    }
    overloaded = overloaded || (closed >= 0.95 * estimate.value && !loop_still_grew_);
    if (!overloaded || !ended_) estimate.reached = Reached::above;
    return estimate;
  }

  Estimate cliff(const Readings& all, const std::vector<Readings>& resamples,
                 SloCrossing Readings::*which, double slo_ns) const {
    Estimate estimate = unmeasured();
    const SloCrossing& crossing = all.*which;
    estimate.reached = crossing.reached;
    estimate.limited_by = crossing.limited_by;
    if (crossing.reached == Reached::unmeasured) return estimate;
    if (!supported(crossing)) {
      estimate = unmeasured();
      estimate.limited_by = LimitedBy::none;
      return estimate;
    }
    if (!ended_) return highest_that_held(slo_ns);
    estimate.value = crossing.value;
    estimate.resolution = resolution(crossing.value);
    if (crossing.reached != Reached::ok) {
      bound_censored(estimate, crossing, all, slo_ns);
      return estimate;
    }
    const std::vector<double> values =
        collect(resamples, [&](const Readings& r) { return (r.*which).value; });
    if (crossing.limited_by == LimitedBy::slo &&
        (groups_.blocks > 1 || crossing.beyond_deviation > 0)) {
      bound_below(estimate, crossing, values, all.saturation);
    } else if (groups_.blocks > 1) {
      Bounds bounds;
      if (crossing.by_loss) {
        bounds.skewed_by = crossing.loss_power > 0         ? crossing.loss_power
                           : std::isfinite(all.loss_power) ? all.loss_power
                                                           : kLeastLossPower;
        bounds.expected = deviation_by_loss(crossing, bounds.skewed_by);
        // The logarithm of a small number lost lies below that of the truth.
        const double off = std::min(bounds.expected, kMostOffByLoss);
        estimate.value *= std::exp(-off * off * std::min(bounds.skewed_by, kMostLossPower) / 2);
      }
      bound(estimate, values, bounds);
    } else {
      estimate.low = std::min(estimate.value, crossing.bracket_low);
      estimate.high = std::max(estimate.value, crossing.bracket_high);
    }
    if (crossing.limited_by == LimitedBy::saturation && !crossing.by_loss) {
      // Which of the two rates' verdicts would change with more time is not known.
      estimate.low = std::min(estimate.low, crossing.bracket_low);
      estimate.high = std::max(estimate.high, crossing.bracket_high);
      // No rate above saturation is stable, whatever the blocks' scatter allows.
      const double most = std::max(all.saturation, crossing.bracket_high);
      estimate.high = std::min(estimate.high, most * (1 + estimate.resolution));
    }
    reach_what_is_sure(estimate, which, slo_ns);
    // A rate above what is carried breaks the bound when its backlog has grown to it. Where one of
    // a twentieth more does not within the window, rates that cannot hold look as if they did.
    constexpr double kBoundsInAWindow = 20;
    if (options_.window_s * 1e9 < kBoundsInAWindow * slo_ns) estimate.low = estimate.high = kNaN;
    return estimate;
  }

  /// A percentile shows only in requests beyond it. With fewer than three expected, none at all are
  /// seen in more than one of twenty series (exp(-3) = 0.05), whatever the bound is.
  bool supported(const SloCrossing& crossing) const {
    constexpr double kLeastBeyond = 3, kNear = 0.25;
    double responses = 0;
    for (const RateGroup& group : groups_.open) {
      const bool near = std::abs(group.rate_per_s / crossing.value - 1) <= kNear;
      const bool beside =
          group.rate_per_s == crossing.bracket_low || group.rate_per_s == crossing.bracket_high;
      if (!near && !beside) continue;
      for (const GroupMember& member : group.members) responses += member.responses;
    }
    return responses * (1 - options_.slo_percentile / 100) >= kLeastBeyond;
  }

  /// Of a search that was cut short: a bound, or nothing.
  Estimate highest_that_held(double slo_ns) const {
    Estimate estimate = unmeasured();
    for (const RateGroup& group : groups_.open) {
      for (const GroupMember& member : group.members) {
        const bool held = member.stable && member.loss <= options_.max_loss &&
                          member.percentile_ns <= slo_ns && member.responses > 0;
        if (!held || group.rate_per_s <= estimate.value) continue;
        estimate.value = group.rate_per_s;
        estimate.reached = Reached::above;
      }
    }
    return estimate;
  }

  /// No interval excludes both a rate that surely kept the bound and the next one, that surely
  /// broke it.
  void reach_what_is_sure(Estimate& estimate, SloCrossing Readings::*which, double slo_ns) const {
    const std::size_t bound = which == &Readings::cliff ? 0 : which == &Readings::cliff5 ? 1 : 2;
    const SloCrossingOptions options = {.slo_ns = slo_ns,
                                        .bound = bound,
                                        .slo_percentile = options_.slo_percentile,
                                        .max_loss = options_.max_loss,
                                        .bursts = &*bursts_};
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

  /// What a knee would scatter if nothing but bursts moved the mean responses that it is read off;
  /// NaN where no trial has kept its scatter.
  double deviation_of_knee(const Readings& all) const {
    std::vector<Merged> open;
    std::vector<double> errors;
    bool known = false;
    for (const RateGroup& group : groups_.open) {
      const auto merged = group.merge(BlockWeights(groups_.blocks, 1), options_.slo_percentile);
      if (!merged) continue;
      const double error = scatter_of(group).relative_error_of_mean();
      open.push_back(*merged);
      errors.push_back(std::isfinite(error) ? error : 0);
      known = known || std::isfinite(error);
    }
    if (!known) return kNaN;
    Random random(options_.seed);
    std::vector<double> logs;
    for (int b = 0; b < options_.bootstrap / 5; ++b) {
      std::vector<Merged> moved = open;
      for (std::size_t i = 0; i < moved.size(); ++i)
        moved[i].mean_ns *= std::exp(errors[i] * normal(random));
      const Knee knee = find_knee(moved, all.saturation, options_.max_loss);
      if (knee.rate_per_s > 0) logs.push_back(std::log(knee.rate_per_s));
    }
    return standard_deviation(logs);
  }

  /// Box and Muller's.
  static double normal(Random& random) {
    return std::sqrt(-2 * std::log(random.uniform_positive())) *
           std::cos(2 * std::numbers::pi * random.uniform());
  }

  Estimate knee(const Readings& all, const std::vector<Readings>& resamples) const {
    Estimate estimate = unmeasured();
    if (!(all.knee.rate_per_s > 0)) return estimate;
    estimate.value = all.knee.rate_per_s;
    estimate.resolution = resolution(all.knee.rate_per_s);
    if (all.knee.inside) {
      estimate.reached = Reached::ok;
    } else {
      const bool first =
          !groups_.open.empty() && all.knee.rate_per_s <= groups_.open.front().rate_per_s;
      estimate.reached = first ? Reached::below : Reached::above;
    }
    bound(estimate, collect(resamples, [](const Readings& r) { return r.knee.rate_per_s; }),
          {.expected = deviation_of_knee(all),
           .prior = kOfKnee,
           .systematic = all.knee.of_lossy ? kFormErrorWithLoss : kFormError,
           .of_one_block = 0.25});
    if (estimate.reached == Reached::below) estimate.low = 0;
    if (estimate.reached == Reached::above) estimate.high = kInfinity;
    return estimate;
  }

  Estimate retention(const Readings& all, const std::vector<Readings>& resamples) const {
    Estimate estimate = unmeasured();
    if (!std::isfinite(all.retention)) return estimate;
    estimate.value = all.retention;
    estimate.reached = Reached::ok;
    estimate.resolution = resolution(all.saturation);
    bound(estimate, collect(resamples, [](const Readings& r) { return r.retention; }),
          {.of_one_block = estimate.resolution});
    return estimate;
  }

  const CliffOptions options_;
  const PerBound bounds_ns_;
  const RateGroups groups_;
  const bool ended_;            ///< the search did: rates of a block were measured
  const bool loop_still_grew_;  ///< with the largest N, so that the plateau was not reached
  std::optional<Dispersion> bursts_;
};

}  // namespace

CellResult analyse(const std::vector<Point>& points, const CliffOptions& options) {
  return Analysis(points, options).run();
}

CellResult ordered_for_display(CellResult result) {
  const double most =
      result.saturation.reached == Reached::ok ? result.saturation.value : kInfinity;
  for (Estimate* each : {&result.cliff, &result.cliff5, &result.cliff20})
    move_between(*each, 0, most);
  if (result.cliff.reached == Reached::ok) {
    move_between(result.cliff5, 0, result.cliff.value);
    move_between(result.cliff20, result.cliff.value, kInfinity);
  }
  result.steepness = steepness(result);
  return result;
}

}  // namespace precipice
