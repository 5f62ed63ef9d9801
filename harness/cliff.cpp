#include "harness/cliff.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "harness/crossing.hpp"
#include "harness/rate_groups.hpp"
#include "harness/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using Merged = RateGroup::Merged;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// What is read off one resample.
struct Readings {
  double saturation = kNaN, retention = kNaN, knee = kNaN;
  bool knee_inside = false;
  Crossing cliff, cliff5, cliff20;
};

class Analysis {
 public:
  Analysis(const std::vector<Point>& points, const CliffOptions& options)
      : options_(options), groups_(RateGroups::gather(points, options.slo_percentile)) {
    const double s = options.service_time_ns;
    slo5_ = s > 0 ? 5 * s : options.slo_ns / 2;
    slo20_ = s > 0 ? 20 * s : options.slo_ns * 2;
  }

  CellResult run() {
    CellResult result;
    for (const RateGroup& group : groups_.closed) {
      std::vector<double> goodputs;
      for (const GroupMember& member : group.members) goodputs.push_back(member.goodput_per_s);
      result.closed_loop_plateau_per_s =
          std::fmax(result.closed_loop_plateau_per_s, median(std::move(goodputs)));
    }
    const BlockWeights once(groups_.blocks, 1);
    const Readings all = read(once);

    std::vector<Readings> resamples;
    if (groups_.blocks > 1) {
      Random random(options_.seed);
      for (int b = 0; b < options_.bootstrap; ++b) {
        BlockWeights weights(groups_.blocks, 0);
        for (std::size_t i = 0; i < groups_.blocks; ++i) ++weights[random.below(groups_.blocks)];
        resamples.push_back(read(weights));
      }
    }

    result.saturation = saturation(all, resamples);
    result.cliff = cliff(all, resamples, &Readings::cliff, options_.slo_ns);
    result.cliff5 = cliff(all, resamples, &Readings::cliff5, slo5_);
    result.cliff20 = cliff(all, resamples, &Readings::cliff20, slo20_);
    result.knee = knee(all, resamples);
    result.overload_retention = retention(all, resamples);
    const bool complete = result.cliff.reached == "ok" && result.cliff5.reached == "ok" &&
                          result.cliff20.reached == "ok";
    result.steepness =
        complete ? (result.cliff20.value - result.cliff5.value) / result.cliff.value : kNaN;
    return result;
  }

 private:
  Readings read(const BlockWeights& weights) const {
    Readings readings;
    std::vector<Merged> open, closed;
    for (const RateGroup& group : groups_.open) {
      if (auto merged = group.merge(weights, options_.slo_percentile)) open.push_back(*merged);
    }
    for (const RateGroup& group : groups_.closed) {
      if (auto merged = group.merge(weights, options_.slo_percentile)) closed.push_back(*merged);
    }
    readings.saturation = highest_goodput(open, closed);
    CrossingOptions crossing{.slo_ns = options_.slo_ns,
                             .max_loss = options_.max_loss,
                             .fit_within = options_.fit_within,
                             .saturation_per_s = readings.saturation};
    readings.cliff = find_crossing(open, crossing);
    crossing.slo_ns = slo5_;
    readings.cliff5 = find_crossing(open, crossing);
    crossing.slo_ns = slo20_;
    readings.cliff20 = find_crossing(open, crossing);
    readings.retention = overload_retention(open, readings.saturation);
    find_knee(open, readings);
    return readings;
  }

  /// The highest of several noisy medians is biased upwards; among saturated ones that cannot be
  /// told apart from it, the one that rests on most requests speaks.
  static double highest_goodput(const std::vector<Merged>& open,
                                const std::vector<Merged>& closed) {
    const Merged* best = nullptr;
    for (const auto* list : {&open, &closed}) {
      for (const Merged& point : *list) {
        if (best == nullptr || point.goodput_per_s > best->goodput_per_s) best = &point;
      }
    }
    if (best == nullptr) return kNaN;
    const Merged* speaker = best;
    const auto consider = [&](const Merged& point) {
      const double noise =
          std::sqrt(1 / std::max(1.0, best->requests) + 1 / std::max(1.0, point.requests));
      if (point.goodput_per_s >= best->goodput_per_s * (1 - 2 * noise) &&
          point.requests > speaker->requests) {
        speaker = &point;
      }
    };
    for (const Merged& point : closed) consider(point);
    for (const Merged& point : open) {
      if (!point.stable) consider(point);
    }
    return speaker->goodput_per_s;
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

  /// Kleinrock's power, throughput / mean response: the top of a parabola through its logarithm.
  void find_knee(const std::vector<Merged>& open, Readings& readings) const {
    std::vector<double> rate, power, weight;
    double top = -std::numeric_limits<double>::infinity();
    double top_rate = kNaN;
    std::vector<std::pair<double, const Merged*>> stable;
    for (const Merged& point : open) {
      if (!point.stable || point.loss > options_.max_loss || !(point.mean_ns > 0)) continue;
      const double value = std::log(point.goodput_per_s / point.mean_ns);
      stable.emplace_back(value, &point);
      if (value > top) {
        top = value;
        top_rate = point.rate_per_s;
      }
    }
    readings.knee = top_rate;
    if (stable.size() < 3) return;
    for (const auto& [value, point] : stable) {
      if (value < top - 0.4) continue;  // a parabola holds near its top only
      rate.push_back(point->rate_per_s);
      power.push_back(value);
      weight.push_back(1);
    }
    const std::vector<double> fit = polynomial_fit(rate, power, weight, 2);
    if (!(fit.size() == 3 && fit[2] < 0)) return;
    const double vertex = -fit[1] / (2 * fit[2]);
    if (vertex <= stable.front().second->rate_per_s || vertex >= stable.back().second->rate_per_s) {
      return;
    }
    readings.knee = vertex;
    readings.knee_inside = true;
  }

  /// Symmetric on the logarithm: t quantile x the bootstrap's deviation x sqrt(n / (n - 1)), and
  /// never narrower than `least` (relative).
  void bound(Estimate& estimate, const std::vector<double>& values, double least) const {
    double relative = 0;
    if (groups_.blocks > 1) {
      std::vector<double> logs;
      for (const double value : values) {
        if (value > 0 && std::isfinite(value)) logs.push_back(std::log(value));
      }
      const auto n = static_cast<double>(groups_.blocks);
      relative = student_t(0.975, n - 1) * standard_deviation(logs) * std::sqrt(n / (n - 1));
    }
    relative = std::max(relative, least);
    estimate.low = estimate.value * std::exp(-relative);
    estimate.high = estimate.value * std::exp(relative);
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

  Estimate saturation(const Readings& all, const std::vector<Readings>& resamples) const {
    Estimate estimate = unmeasured();
    if (!(all.saturation > 0)) return estimate;
    estimate.value = all.saturation;
    estimate.reached = "ok";
    estimate.resolution = resolution(all.saturation);
    // One block shows no variation between blocks; the count of a trial still has its own.
    const double single = groups_.blocks > 1 ? 0 : 0.5 * estimate.resolution;
    bound(estimate, collect(resamples, [](const Readings& r) { return r.saturation; }), single);
    // Where the most was carried by an open loop that kept up, and none that did not is known, the
    // limit is the generator's or the backend's, and the figure a lower bound.
    double closed = 0;
    bool overloaded = false;
    for (const RateGroup& group : groups_.closed) {
      for (const GroupMember& member : group.members)
        closed = std::max(closed, member.goodput_per_s);
    }
    for (const RateGroup& group : groups_.open) {
      for (const GroupMember& member : group.members) overloaded = overloaded || !member.stable;
    }
    overloaded = overloaded || closed >= 0.95 * estimate.value;
    if (!overloaded) estimate.reached = "above";
    return estimate;
  }

  Estimate cliff(const Readings& all, const std::vector<Readings>& resamples,
                 Crossing Readings::*which, double slo_ns) const {
    Estimate estimate = unmeasured();
    const Crossing& crossing = all.*which;
    estimate.reached = crossing.reached;
    estimate.limited_by = crossing.limited_by;
    if (crossing.reached == "unmeasured") return estimate;
    estimate.value = crossing.value;
    estimate.resolution = resolution(crossing.value);
    if (crossing.reached == "below") {
      estimate.low = 0;
      estimate.high = crossing.value;
      return estimate;
    }
    if (crossing.reached == "above") {
      estimate.low = crossing.value;
      estimate.high = std::numeric_limits<double>::infinity();
      return estimate;
    }
    if (groups_.blocks > 1) {
      bound(estimate, collect(resamples, [&](const Readings& r) { return (r.*which).value; }), 0);
    } else if (crossing.fit_rate.size() > 2) {
      bound_by_residuals(estimate, crossing, slo_ns);
    } else {
      estimate.low = crossing.bracket_low;
      estimate.high = crossing.bracket_high;
    }
    if (crossing.limited_by == "saturation" && !crossing.by_loss) {
      // Which of the two rates' verdicts would change with more time is not known.
      estimate.low = std::min(estimate.low, crossing.bracket_low);
      estimate.high = std::max(estimate.high, crossing.bracket_high);
    }
    return estimate;
  }

  /// One block: the scatter about the fitted line is all that is known.
  void bound_by_residuals(Estimate& estimate, const Crossing& crossing, double slo_ns) const {
    const std::vector<double>& rate = crossing.fit_rate;
    const std::vector<double> line =
        polynomial_fit(rate, crossing.fit_inverse, crossing.fit_weight, 1);
    const auto n = static_cast<double>(rate.size());
    const double scale = std::sqrt(n / (n - 2));
    std::vector<double> residuals;
    for (std::size_t i = 0; i < rate.size(); ++i) {
      residuals.push_back(scale * (crossing.fit_inverse[i] - line[0] - line[1] * rate[i]));
    }
    Random random(options_.seed);
    std::vector<double> logs, inverse(rate.size());
    for (int b = 0; b < options_.bootstrap; ++b) {
      for (std::size_t i = 0; i < rate.size(); ++i) {
        inverse[i] = line[0] + line[1] * rate[i] + residuals[random.below(residuals.size())];
      }
      const double value = line_crossing(rate, inverse, crossing.fit_weight, 1 / slo_ns);
      if (value > 0) logs.push_back(std::log(value));
    }
    const double relative = student_t(0.975, n - 2) * standard_deviation(logs);
    estimate.low = estimate.value * std::exp(-relative);
    estimate.high = estimate.value * std::exp(relative);
  }

  Estimate knee(const Readings& all, const std::vector<Readings>& resamples) const {
    Estimate estimate = unmeasured();
    if (!(all.knee > 0)) return estimate;
    estimate.value = all.knee;
    estimate.resolution = resolution(all.knee);
    if (all.knee_inside) {
      estimate.reached = "ok";
    } else {
      const bool first = !groups_.open.empty() && all.knee <= groups_.open.front().rate_per_s;
      estimate.reached = first ? "below" : "above";
    }
    bound(estimate, collect(resamples, [](const Readings& r) { return r.knee; }),
          groups_.blocks > 1 ? 0 : 0.25);
    return estimate;
  }

  Estimate retention(const Readings& all, const std::vector<Readings>& resamples) const {
    Estimate estimate = unmeasured();
    if (!std::isfinite(all.retention)) return estimate;
    estimate.value = all.retention;
    estimate.reached = "ok";
    estimate.resolution = resolution(all.saturation);
    bound(estimate, collect(resamples, [](const Readings& r) { return r.retention; }),
          groups_.blocks > 1 ? 0 : estimate.resolution);
    return estimate;
  }

  const CliffOptions options_;
  const RateGroups groups_;
  double slo5_ = 0, slo20_ = 0;
};

}  // namespace

CellResult analyse(const std::vector<Point>& points, const CliffOptions& options) {
  return Analysis(points, options).run();
}

}  // namespace precipice
