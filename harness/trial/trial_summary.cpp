#include "harness/trial/trial_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

// Buffers of samples that are worth keeping for the next trial of this thread: fresh memory costs
// more than all that is done with it.
constexpr std::size_t kWorthKeeping = 1U << 22;
constexpr std::size_t kMostKept = 8;
thread_local std::vector<std::vector<std::int64_t>> spare_buffers;

void judge_stability(const Occupancy& occupancy, Trial& trial) {
  std::vector<double> at_s;
  for (int i = 0; i < Occupancy::kInstants; ++i) {
    at_s.push_back((i + 0.5) * occupancy.seconds_per_step());
  }
  const std::vector<double> in_flight = occupancy.counts();
  const auto offered = static_cast<double>(trial.counts.scheduled);
  const double window_s = std::chrono::duration<double>(trial.request.window).count();
  const double tolerated = std::max(0.01, 3 / std::sqrt(std::max(1.0, offered)));
  const auto growth = [&](double slope) { return offered > 0 ? slope * window_s / offered : 0; };
  Trend slope = trend(at_s, in_flight, 0, 0, trial.request.seed);
  // The bound of a growth that is tolerated decides nothing, and costs a hundred times the slope.
  const bool tolerable = growth(slope.slope) <= tolerated;
  if (!tolerable) slope = trend(at_s, in_flight, 0, 200, trial.request.seed);
  trial.in_flight_slope_per_s = slope.slope;
  trial.in_flight_slope_low = tolerable ? std::min(0.0, slope.slope) : slope.low;
  trial.stable = tolerable || slope.low <= 0;
}

/// A window that no request falls into shows nothing, and one that offers another rate than was
/// asked for shows that one.
void judge_window(Trial& trial) {
  const TrialRequest& request = trial.request;
  const double window_s = std::chrono::duration<double>(request.window).count();
  const auto fail = [&](TrialGate gate, std::string text) {
    trial.invalid_reasons.push_back({Cause::window, gate, std::move(text)});
  };
  if (trial.counts.scheduled == 0) {
    const std::string load = request.closed > 0
                                 ? fmt::format("a closed loop of {}", request.closed)
                                 : fmt::format("{:g} requests/s", request.rate_per_s);
    fail(TrialGate::empty_window,
         fmt::format("no request of {} arrives in the window of {:g} s: make it longer", load,
                     window_s));
    return;
  }
  if (request.closed > 0) return;
  const std::int64_t from = request.warmup.count();
  const std::int64_t to = from + request.window.count();
  const double factor = request.arrivals.offered_share(request.rate_per_s, from, to);
  // As far as whole requests allow; what is independently random is not meant by this.
  const double allowed = 0.01 + 1 / std::max(1.0, request.rate_per_s * window_s);
  if (std::abs(factor - 1) <= allowed) return;
  fail(TrialGate::offered_rate,
       fmt::format("the window of {:g} s holds {:.3g} of the cycles of {}, so {:.3g} times the "
                   "{:g} requests/s that were asked for are offered in it: make it a whole number "
                   "of cycles",
                   window_s, request.arrivals.cycles(request.rate_per_s, request.window),
                   request.arrivals.to_string(), factor, request.rate_per_s));
}

}  // namespace

Samples::Samples() {
  if (spare_buffers.empty()) return;
  values_ = std::move(spare_buffers.back());
  spare_buffers.pop_back();
}

Samples::~Samples() {
  if (values_.capacity() == 0 || values_.capacity() > kWorthKeeping ||
      spare_buffers.size() >= kMostKept) {
    return;
  }
  values_.clear();
  spare_buffers.push_back(std::move(values_));
}

void Samples::vary(std::int64_t value) {
  values_.assign(equal_, first_);
  values_.push_back(value);
  varied_ = true;
}

Percentiles Samples::percentiles(double own, std::int64_t* own_ns) const {
  Percentiles result;
  if (!varied_) {
    if (equal_ == 0) return result;
    result.known = true;
    result.mean = static_cast<double>(first_);
    result.p50 = result.p90 = result.p95 = result.p99 = result.p999 = result.max = first_;
    if (own_ns != nullptr) *own_ns = first_;
    return result;
  }
  // In whole nanoseconds as far as they cannot overflow: exact, and the additions do not wait for
  // each other.
  constexpr std::size_t kAtOnce = 4096;
  double sum = 0;
  std::int64_t most = values_.front();
  for (std::size_t from = 0; from < values_.size(); from += kAtOnce) {
    const std::size_t to = std::min(from + kAtOnce, values_.size());
    std::int64_t part = 0;
    for (std::size_t i = from; i < to; ++i) {
      part += values_[i];
      most = std::max(most, values_[i]);
    }
    sum += static_cast<double>(part);
  }
  std::array<double, 6> p = {50, 90, 95, 99, 99.9, own};
  std::sort(p.begin(), p.end());
  const std::vector<std::int64_t> at = exact_percentiles(values_, p);
  const auto find = [&](double wanted) {
    return at[static_cast<std::size_t>(std::find(p.begin(), p.end(), wanted) - p.begin())];
  };
  result.mean = sum / static_cast<double>(values_.size());
  result.p50 = find(50);
  result.p90 = find(90);
  result.p95 = find(95);
  result.p99 = find(99);
  result.p999 = find(99.9);
  result.max = most;
  result.known = true;
  if (own_ns != nullptr) *own_ns = find(own);
  return result;
}

BatchScatter Samples::scatter() const {
  if (varied_) return batch_scatter(values_);
  return equal_ >= 2 * kBatches ? BatchScatter{0, 0} : BatchScatter{};
}

std::vector<double> Occupancy::counts() const {
  std::vector<double> result;
  std::int64_t running = 0;
  for (int i = 0; i < kInstants; ++i) {
    running += change_[static_cast<std::size_t>(i)];
    result.push_back(static_cast<double>(running));
  }
  return result;
}

TrialAccumulator::TrialAccumulator(const Recording& o, Trial& trial)
    : begin_(o.window_begin_ns),
      end_(o.window_end_ns),
      deadline_(o.deadline_ns),
      open_loop_(!o.intended_ns.empty()),
      trial_(trial),
      occupancy_(o.window_begin_ns, o.window_end_ns),
      slice_ns_(std::max<std::int64_t>(1, (o.window_end_ns - o.window_begin_ns) / kSlices)),
      slice_begin_(begin_),
      slice_end_(begin_ + slice_ns_),
      last_end_(end_) {
  totals_.all_ended = true;
  for (const RequestClass& each : trial.request.classes) {
    class_responses_.emplace_back();
    trial.classes.emplace_back().name = each.name;
  }
  if (trial.request.trigger) timeline_.emplace(begin_, end_, deadline_);
  trial.slices.assign(kSlices, Histogram());
}

void TrialAccumulator::measure_class(const RequestOutcome& fate, bool unfinished) {
  const std::uint8_t number = trial_.request.class_of(fate.id);
  ClassFigures& figures = trial_.classes[number];
  ++figures.requests;
  const bool completed = fate.end == End::completed && !unfinished;
  if (completed) ++figures.completed;
  if (completed || unfinished)
    class_responses_[number].add((unfinished ? deadline_ : fate.completion_ns) - fate.intended_ns);
}

StampTotals TrialAccumulator::finish() {
  const double window_s = std::chrono::duration<double>(trial_.request.window).count();
  trial_.offered_per_s = static_cast<double>(trial_.counts.scheduled) / window_s;
  trial_.goodput_per_s = static_cast<double>(good_) / window_s;
  trial_.response = response_.percentiles(trial_.request.slo_percentile, &trial_.slo_percentile_ns);
  trial_.response_scatter = response_.scatter();
  for (const Histogram& slice : trial_.slices) trial_.response_histogram.merge(slice);
  trial_.lag = lag_.percentiles();
  trial_.self_lag = self_lag_.percentiles();
  trial_.model_lag = model_lag_.percentiles();
  trial_.submit = submit_.percentiles();
  trial_.residence = residence_.percentiles();
  trial_.in_flight_mean = occupancy_.mean();
  trial_.drained = totals_.all_ended;
  trial_.backlog = backlog_;
  trial_.drain_s = static_cast<double>(last_end_ - end_) * 1e-9;
  for (std::size_t kind = 0; kind < refused_.size(); ++kind) {
    if (refused_[kind] == 0) continue;
    trial_.refusals[std::string(to_string(static_cast<Refusal>(kind)))] += refused_[kind];
  }
  for (std::size_t i = 0; i < class_responses_.size(); ++i) {
    ClassFigures& figures = trial_.classes[i];
    figures.response =
        class_responses_[i].percentiles(trial_.request.slo_percentile, &figures.slo_percentile_ns);
  }
  if (timeline_) {
    const Nanos slo = trial_.request.slo.count() > 0 ? trial_.request.slo : kAssumedSlo;
    trial_.timeline =
        timeline_->finish(static_cast<double>(slo.count()), trial_.request.trigger->at);
  }
  judge_stability(occupancy_, trial_);
  judge_window(trial_);

  const auto fault = [&](TrialGate gate, std::string text) {
    trial_.model_fault = true;
    trial_.invalid_reasons.push_back({Cause::model, gate, std::move(text)});
  };
  if (lost_ + repeated_ > 0) {
    fault(TrialGate::conservation,
          fmt::format("{} requests never ended, {} ended more than once", lost_, repeated_));
  }
  if (wrong_ > 0) {
    fault(TrialGate::digest, fmt::format("{} completed requests have a wrong digest", wrong_));
  }
  return totals_;
}

StampTotals summarise(const Recording& o, Trial& trial) {
  TrialAccumulator summary(o, trial);
  for (std::size_t id = 0; id < o.issued; ++id) {
    const Slot& slot = (*o.slots)[id];
    const Sent& sent = o.slots->sent(id);
    RequestOutcome fate;
    fate.id = id;
    fate.intended_ns = o.intended_ns.empty() ? sent.dispatch_ns : o.intended_ns[id];
    fate.dispatch_ns = sent.dispatch_ns;
    fate.begin_ns = slot.begin_ns;
    fate.completion_ns = slot.completion_ns;
    fate.digest = slot.digest;
    fate.submit_ns = sent.submit_ns;
    fate.error = slot.error;
    fate.ends = slot.ends.load(std::memory_order_relaxed);
    fate.end = slot.end;
    fate.shed = sent.shed;
    fate.wrong = slot.end == End::completed && !o.digests.empty() &&
                 slot.digest != o.digests[request_seed(o.schedule_seed, id)];
    summary.add(fate);
  }
  return summary.finish();
}

}  // namespace precipice
