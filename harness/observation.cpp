#include "harness/observation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "harness/statistics.hpp"

namespace precipice {
namespace {

// Enough points for a slope, few enough for all their pairs.
constexpr int kGrid = 40;

bool ended_by_shutdown(const Slot& slot) {
  return (slot.end == End::failed && slot.error == ECANCELED) ||
         (slot.end == End::shed && slot.error == static_cast<int>(Refusal::shutdown));
}

/// In-flight requests at kGrid instants of the window, from one pass over the stamps.
class Occupancy {
 public:
  explicit Occupancy(const Observation& o)
      : begin_(o.window_begin_ns),
        step_(static_cast<double>(o.window_end_ns - o.window_begin_ns) / kGrid) {}

  void add(std::int64_t from_ns, std::int64_t to_ns) {
    ++change_[index(from_ns)];
    --change_[index(to_ns)];
    const auto end = begin_ + static_cast<std::int64_t>(step_ * kGrid);
    const std::int64_t overlap = std::min(to_ns, end) - std::max(from_ns, begin_);
    if (overlap > 0) overlap_ns_ += static_cast<double>(overlap);
  }
  double mean() const { return step_ > 0 ? overlap_ns_ / (step_ * kGrid) : 0; }
  std::vector<double> counts() const {
    std::vector<double> result;
    double running = 0;
    for (int i = 0; i < kGrid; ++i)
      result.push_back(running += change_[static_cast<std::size_t>(i)]);
    return result;
  }
  double seconds_per_step() const { return step_ * 1e-9; }

 private:
  /// First grid instant (the middle of step i) at or after the time.
  std::size_t index(std::int64_t at_ns) const {
    const double position = std::ceil(static_cast<double>(at_ns - begin_) / step_ - 0.5);
    return static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(kGrid)));
  }

  std::int64_t begin_;
  double step_;
  double overlap_ns_ = 0;
  std::array<double, kGrid + 1> change_{};
};

void judge_stability(const Occupancy& occupancy, Trial& trial) {
  std::vector<double> at_s;
  for (int i = 0; i < kGrid; ++i) at_s.push_back((i + 0.5) * occupancy.seconds_per_step());
  const Trend slope = trend(at_s, occupancy.counts(), 0, 200, trial.request.seed);
  trial.in_flight_slope_per_s = slope.slope;
  trial.in_flight_slope_low = slope.low;
  const auto offered = static_cast<double>(trial.counts.scheduled);
  const double window_s = std::chrono::duration<double>(trial.request.window).count();
  const double growth = offered > 0 ? slope.slope * window_s / offered : 0;
  trial.stable = slope.low <= 0 || growth <= std::max(0.01, 3 / std::sqrt(std::max(1.0, offered)));
}

}  // namespace

Percentiles percentiles_of(std::vector<std::int64_t>& samples) {
  Percentiles result;
  if (samples.empty()) return result;
  double sum = 0;
  for (const std::int64_t sample : samples) sum += static_cast<double>(sample);
  result.mean = sum / static_cast<double>(samples.size());
  // Each selection leaves everything larger behind its position, so the next one searches only
  // there.
  auto from = samples.begin();
  const auto select = [&](double p) {
    const auto rank = static_cast<std::ptrdiff_t>(
        std::ceil(p / 100 * static_cast<double>(samples.size()) - 1e-9));
    const auto position = samples.begin() + std::max<std::ptrdiff_t>(0, rank - 1);
    if (position >= from) {
      std::nth_element(from, position, samples.end());
      from = position;
    }
    return *position;
  };
  result.p50 = select(50);
  result.p90 = select(90);
  result.p95 = select(95);
  result.p99 = select(99);
  result.p999 = select(99.9);
  result.max = *std::max_element(from, samples.end());
  return result;
}

StampTotals summarise(const Observation& o, Trial& trial) {
  StampTotals totals;
  totals.all_ended = true;
  std::vector<std::int64_t> response, lag, self_lag, model_lag, submit, residence;
  std::uint64_t lost = 0, repeated = 0, wrong = 0, good = 0;
  Occupancy occupancy(o);
  Counts& counts = trial.counts;
  const double window_s = std::chrono::duration<double>(trial.request.window).count();
  const std::int64_t slice_ns =
      std::max<std::int64_t>(1, (o.window_end_ns - o.window_begin_ns) / kSlices);
  trial.slices.assign(kSlices, Histogram());

  std::int64_t perfect = 0, perfect_free = 0;  // d_i, and when a perfect generator is free again
  for (std::size_t id = 0; id < o.issued; ++id) {
    const Slot& slot = (*o.slots)[id];
    const Sent& sent = o.slots->sent(id);
    const std::int64_t intended = o.intended_ns.empty() ? sent.dispatch_ns : o.intended_ns[id];
    const bool dispatched = sent.dispatch_ns >= 0;
    const bool measured = intended >= o.window_begin_ns && intended < o.window_end_ns;
    perfect = std::max(intended, perfect_free);
    perfect_free = perfect + sent.submit_ns;
    if (measured) ++counts.scheduled;
    if (!dispatched) {
      if (measured) ++counts.unsent;
      continue;
    }

    const int ends = slot.ends.load(std::memory_order_relaxed);
    if (ends == 0) ++lost;
    if (ends > 1) ++repeated;
    const bool unfinished =
        ends == 0 || slot.completion_ns > o.deadline_ns || ended_by_shutdown(slot);
    if (!sent.shed) {
      ++totals.accepted;
      const std::int64_t until = unfinished ? o.deadline_ns : slot.completion_ns;
      totals.in_flight_ns += static_cast<double>(until - sent.dispatch_ns);
      if (unfinished) totals.all_ended = false;
      occupancy.add(sent.dispatch_ns, until);
    }
    bool right = slot.end == End::completed;
    if (right && !o.digests.empty() &&
        slot.digest != o.digests[request_seed(o.schedule_seed, id)]) {
      right = false;
      ++wrong;
    }
    // By completion: an overload's backlog that drains after the window is not what it carried.
    if (right && slot.completion_ns >= o.window_begin_ns && slot.completion_ns < o.window_end_ns) {
      ++good;
    }
    if (!measured) continue;

    ++counts.sent;
    lag.push_back(sent.dispatch_ns - intended);
    if (!o.intended_ns.empty()) {
      self_lag.push_back(sent.dispatch_ns - perfect);
      model_lag.push_back(perfect - intended);
    }
    submit.push_back(sent.submit_ns);
    if (unfinished) {
      ++counts.unfinished;
    } else if (slot.end == End::shed) {
      ++counts.shed;
      ++trial.refusals[std::string(to_string(static_cast<Refusal>(slot.error)))];
    } else if (slot.end == End::failed) {
      ++counts.failed;
      ++trial.errors[slot.error];
    } else {
      ++counts.completed;
      trial.checksum += slot.digest;
      residence.push_back(slot.completion_ns - slot.begin_ns);
    }
    if (unfinished || slot.end == End::completed) {
      const std::int64_t value = (unfinished ? o.deadline_ns : slot.completion_ns) - intended;
      response.push_back(value);
      trial.response_histogram.record(value);
      const std::int64_t slice =
          std::min<std::int64_t>(kSlices - 1, (intended - o.window_begin_ns) / slice_ns);
      trial.slices[static_cast<std::size_t>(slice)].record(value);
    }
  }

  trial.offered_per_s = static_cast<double>(counts.scheduled) / window_s;
  trial.goodput_per_s = static_cast<double>(good) / window_s;
  if (!response.empty()) {
    trial.slo_percentile_ns = exact_percentile(response, trial.request.slo_percentile);
  }
  trial.response = percentiles_of(response);
  trial.lag = percentiles_of(lag);
  trial.self_lag = percentiles_of(self_lag);
  trial.model_lag = percentiles_of(model_lag);
  trial.submit = percentiles_of(submit);
  trial.residence = percentiles_of(residence);
  trial.in_flight_mean = occupancy.mean();
  trial.drained = totals.all_ended;
  judge_stability(occupancy, trial);

  const auto fault = [&](std::string_view gate, std::string text) {
    trial.model_fault = true;
    trial.invalid_reasons.push_back({"model", std::string(gate), std::move(text)});
  };
  if (lost + repeated > 0) {
    fault("conservation",
          fmt::format("{} requests never ended, {} ended more than once", lost, repeated));
  }
  if (wrong > 0) fault("digest", fmt::format("{} completed requests have a wrong digest", wrong));
  return totals;
}

}  // namespace precipice
