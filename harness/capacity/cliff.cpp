#include "harness/capacity/cliff.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "harness/capacity/cliff_interval.hpp"
#include "harness/capacity/cliff_readings.hpp"
#include "harness/capacity/knee.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/slo_crossing.hpp"
#include "harness/capacity/twin_fit.hpp"
#include "harness/capacity/twin_match.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;
using Readings = CliffReadings;

constexpr double kMostOffByLoss = 0.3;  // the most that a crossing's own bias is believed
// What the form of the mean response errs about a knee: in general, and where requests are refused.
// From the coverage study.
constexpr double kFormError = 0.02, kFormErrorWithLoss = 0.10;

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
      : points_(points),
        options_(options),
        bounds_ns_(bounds_of(options)),
        groups_(RateGroups::gather(points, options.slo_percentile, bounds_ns_)),
        ended_(std::any_of(points.begin(), points.end(), of_a_block)),
        loop_still_grew_(loop_still_grew(points)) {}

  CellResult run() {
    CellResult result;
    for (const RateGroup& group : groups_.closed) {
      std::vector<double> goodputs;
      for (const GroupMember& member : group.members) goodputs.push_back(member.goodput_per_s);
      result.closed_loop_plateau_per_s =
          std::fmax(result.closed_loop_plateau_per_s, median(std::move(goodputs)));
    }
    double saturation_per_s = saturated_goodput();
    if (options_.twin && saturation_per_s > 0) {
      corrected_ = correct_goodput(groups_, *options_.twin, saturation_per_s);
      saturation_per_s = saturated_goodput();
    }
    bursts_.emplace(groups_.open, saturation_per_s, options_.slo_percentile);
    intervals_.emplace(groups_, *bursts_, options_);
    if (options_.twin && saturation_per_s > 0) use_twins();
    const CliffResample once = merged();
    const Readings all = read_resample(once, options_, bounds_ns_, *bursts_, twins_);

    std::vector<Readings> resamples;
    if (groups_.blocks > 1) {
      Random random(options_.seed);
      std::map<BlockWeights, std::size_t> read;  // index into resamples
      for (int b = 0; b < options_.bootstrap; ++b) {
        BlockWeights weights(groups_.blocks, 0);
        for (std::size_t i = 0; i < groups_.blocks; ++i) ++weights[random.below(groups_.blocks)];
        // Of n blocks only (2n - 1 over n) resamples differ, 10 of three: each is read once.
        const auto [drawn, first] = read.emplace(std::move(weights), resamples.size());
        resamples.push_back(
            first ? read_resample(draw_blocks(groups_, drawn->first, options_.slo_percentile),
                                  options_, bounds_ns_, *bursts_, twins_)
                  : resamples[drawn->second]);
      }
    }

    result.saturation = saturation(all);
    result.cliff = cliff(all, resamples, &Readings::cliff, bounds_ns_[0]);
    result.cliff5 = cliff(all, resamples, &Readings::cliff5, bounds_ns_[1]);
    result.cliff20 = cliff(all, resamples, &Readings::cliff20, bounds_ns_[2]);
    result.knee = knee(all, resamples);
    result.overload_retention = retention(all, resamples);
    if (corrected_) result.saturation_of_block_per_s = saturation_by_block(all);
    result.steepness = steepness(result);
    if (twins_[0].used()) {
      result.twin_weight = twins_[0].weight;
      result.twin_overhead = stretch_factor(twins_[0].stretch) - 1;
      result.twin_order = twins_[0].order;
      leave_blocks_out(all, result);
    }
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
  void leave_blocks_out(const Readings& all, CellResult& result) const {
    if (all.cliff.reached != Reached::ok || groups_.blocks < 2) return;
    std::map<int, double> without;
    for (std::size_t i = 0; i < groups_.blocks; ++i) {
      BlockWeights weights(groups_.blocks, 1);
      weights[i] = 0;
      const Readings others = read_resample(draw_blocks(groups_, weights, options_.slo_percentile),
                                            options_, bounds_ns_, *bursts_, twins_);
      if (others.cliff.reached != Reached::ok) return;
      without[groups_.block_ids[i]] = others.cliff.value;
    }
    result.cliff_of_all_per_s = all.cliff.value;
    result.cliff_without_block_per_s = std::move(without);
  }

  std::map<int, double> saturation_by_block(const Readings& all) const {
    std::map<int, double> by_block;
    for (const RateGroup& group : all.saturated_rate > 0 ? groups_.open : groups_.closed) {
      if (group.rate_per_s != all.saturated_rate || group.closed != all.saturated_closed) continue;
      for (const GroupMember& member : group.members) {
        if (member.block != GroupMember::kEveryBlock)
          by_block[groups_.block_ids[member.block]] = member.goodput_per_s;
      }
    }
    return by_block;
  }

  CliffResample merged() const {
    return draw_blocks(groups_, BlockWeights(groups_.blocks, 1), options_.slo_percentile);
  }
  double saturated_goodput() const {
    const CliffResample once = merged();
    const Merged* point = highest_goodput(once);
    return point == nullptr ? kNaN : point->goodput_per_s;
  }
  /// Twins of each bound, around its crossing; and once more where they move that.
  void use_twins() {
    for (int round = 0; round < 2; ++round) {
      const Readings readings = read_resample(merged(), options_, bounds_ns_, *bursts_, twins_);
      const SloCrossing* const crossings[] = {&readings.cliff, &readings.cliff5, &readings.cliff20};
      for (std::size_t bound = 0; bound < std::size(crossings); ++bound) {
        const SloCrossing& crossing = *crossings[bound];
        if (crossing.reached == Reached::unmeasured || !(crossing.value > 0)) continue;
        twins_[bound] = twins_around(crossing.value, bound, readings.saturation);
        if (twins_[bound].used()) continue;
        // The search placed its rates around the crossing of the cell's own bound. One that was
        // read beside them has few trials near; where twins expect it among them, they are fitted
        // there.
        if (!is_own(bound) || among_refining(crossing.value)) continue;
        const double expected =
            expected_crossing(points_, *options_.twin, bounds_ns_[bound], options_.slo_percentile);
        if (among_refining(expected))
          twins_[bound] = twins_around(expected, bound, readings.saturation);
      }
    }
  }
  bool is_own(std::size_t bound) const { return bound == 0 && options_.own_bound; }
  bool among_refining(double rate_per_s) const {
    double low = kInfinity, high = 0;
    for (const Point& point : points_) {
      if (!point.valid || point.phase != Phase::refine) continue;
      low = std::min(low, point.rate_per_s);
      high = std::max(high, point.rate_per_s);
    }
    return low <= rate_per_s && rate_per_s <= high;
  }
  TwinFit twins_around(double crossing_per_s, std::size_t bound, double saturation_per_s) {
    return fit_twins(
        groups_, *options_.twin,
        {.bound_ns = bounds_ns_[bound],
         .bound = bound,
         .own = is_own(bound),
         .slo_percentile = options_.slo_percentile,
         .max_loss = options_.max_loss,
         .crossing_per_s = crossing_per_s,
         .saturation_per_s = saturation_per_s,
         .index_of_dispersion = bursts_->index_of_dispersion(crossing_per_s),
         // The order is the model's: what its own bound shows holds for the others.
         .order = bound > 0 && twins_[0].used() ? std::optional(twins_[0].order) : std::nullopt});
  }

  static bool of_a_block(const Point& point) {
    return point.valid && point.closed == 0 && point.phase != Phase::coarse;
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

  Estimate saturation(const Readings& all) const {
    Estimate estimate = unmeasured();
    if (!(all.saturation > 0)) return estimate;
    estimate.value = all.saturation;
    estimate.reached = Reached::ok;
    estimate.resolution = resolution(all.saturation);
    intervals_->bound_by_blocks(estimate, all);
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
      intervals_->bound_censored(estimate, crossing, all, slo_ns);
      return estimate;
    }
    const std::vector<double> values =
        collect(resamples, [&](const Readings& r) { return (r.*which).value; });
    if (crossing.limited_by == LimitedBy::slo &&
        (groups_.blocks > 1 || crossing.beyond_deviation > 0)) {
      intervals_->bound_crossing(estimate, crossing, values, all.saturation);
    } else if (groups_.blocks > 1) {
      IntervalBasis bounds;
      if (crossing.by_loss) {
        bounds.skewed_by = crossing.loss_power > 0         ? crossing.loss_power
                           : std::isfinite(all.loss_power) ? all.loss_power
                                                           : kLeastLossPower;
        bounds.expected = intervals_->deviation_by_loss(crossing, bounds.skewed_by);
        // The logarithm of a small number lost lies below that of the truth.
        const double off = std::min(bounds.expected, kMostOffByLoss);
        estimate.value *= std::exp(-off * off * std::min(bounds.skewed_by, kMostLossPower) / 2);
      }
      intervals_->bound(estimate, values, bounds);
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
    const std::size_t bound = which == &Readings::cliff ? 0 : which == &Readings::cliff5 ? 1 : 2;
    intervals_->reach_what_is_sure(estimate, bound, slo_ns);
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
    intervals_->bound(
        estimate, collect(resamples, [](const Readings& r) { return r.knee.rate_per_s; }),
        {.expected = knee_deviation(groups_, {.slo_percentile = options_.slo_percentile,
                                              .saturation_per_s = all.saturation,
                                              .max_loss = options_.max_loss,
                                              .seed = options_.seed,
                                              .draws = options_.bootstrap / 5}),
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
    intervals_->bound(estimate, collect(resamples, [](const Readings& r) { return r.retention; }),
                      {.of_one_block = estimate.resolution});
    return estimate;
  }

  const std::vector<Point>& points_;
  const CliffOptions options_;
  const PerBound bounds_ns_;
  RateGroups groups_;
  const bool ended_;            ///< the search did: rates of a block were measured
  const bool loop_still_grew_;  ///< with the largest N, so that the plateau was not reached
  std::optional<Dispersion> bursts_;
  std::optional<CliffIntervals> intervals_;
  TwinFits twins_;
  bool corrected_ = false;  ///< goodput, by twins
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
