#include "models/policies/attempt_meter.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

namespace precipice {
namespace {

std::int64_t ns(Time at) { return at.time_since_epoch().count(); }

}  // namespace

void AttemptMeter::count_by_time(Time from, Nanos slice, std::size_t slices) {
  by_slice_ = std::vector<std::atomic<std::uint64_t>>(slices);
  slices_from_ = from;
  slice_ = slice;
}

std::vector<std::uint64_t> AttemptMeter::begun_by_slice() const {
  std::vector<std::uint64_t> counts;
  for (const auto& count : by_slice_) counts.push_back(count.load(std::memory_order_relaxed));
  return counts;
}

void AttemptMeter::start(const ModelSetup& setup) {
  above_ = setup.job;
  ModelSetup within = setup;
  within.job = {&AttemptMeter::run, &AttemptMeter::refuse, this};
  model_->start(within);
}

Refusal AttemptMeter::submit(const Request& request) noexcept {
  begun_[place(request)].fetch_add(1, std::memory_order_relaxed);
  if (!by_slice_.empty()) {
    const Nanos at = timeline_.now() - slices_from_;
    const auto slice = at / slice_;  // towards 0, also before the first
    if (at >= Nanos(0) && static_cast<std::size_t>(slice) < by_slice_.size())
      by_slice_[static_cast<std::size_t>(slice)].fetch_add(1, std::memory_order_relaxed);
  }
  const Refusal why = model_->submit(request);
  if (why != Refusal::none) count(request, fate_of(why));
  return why;
}

Task<void> AttemptMeter::run(void* self, Io& io, Request request) {
  auto& meter = *static_cast<AttemptMeter*>(self);
  const Time begun = meter.timeline_.now();
  meter.executing_.enter(ns(begun));
  Outcome outcome;
  try {
    outcome = co_await meter.above_.attempt(meter.above_.context, io, request);
  } catch (const std::bad_alloc&) {  // of the attempt's frame
    outcome = Outcome::failed(ENOMEM);
  }
  const Time ended = meter.timeline_.now();
  meter.executing_.leave(ns(ended));
  meter.count_execution(request, begun, ended);
  const bool of_use = meter.above_.end(meter.above_.context, request, outcome);
  meter.count(request, outcome.succeeded()                   ? (of_use ? won : lost)
                       : outcome.error == Outcome::kNeedless ? cancelled
                       : outcome.error == ECANCELED          ? cut_off
                                                             : failed);
}

void AttemptMeter::count_execution(const Request& request, Time begun, Time ended) noexcept {
  ended_[place(request)].executed_ns.fetch_add(
      InFlightIntegral::rounded(ns(ended)) - InFlightIntegral::rounded(ns(begun)),
      std::memory_order_relaxed);
  const Nanos inside = std::min(ended, to_) - std::max(begun, from_);
  if (inside > Nanos(0)) in_window_ns_.fetch_add(inside.count(), std::memory_order_relaxed);
}

void AttemptMeter::refuse(void* self, const Request& request, Refusal why) noexcept {
  auto& meter = *static_cast<AttemptMeter*>(self);
  meter.above_.refuse(meter.above_.context, request, why);
  meter.count(request, fate_of(why));
}

AttemptCounts AttemptMeter::counts(std::size_t place) const {
  const auto of = [&](Fate fate) {
    return ended_[place].fates[fate].load(std::memory_order_relaxed);
  };
  return {begun_[place].load(std::memory_order_relaxed),
          of(won),
          of(lost),
          of(failed),
          of(cancelled),
          of(refused),
          of(unfinished) + of(cut_off)};
}

AttemptFigures AttemptMeter::inside_window() const {
  AttemptFigures figures{counts(1)};
  if (to_ > from_)
    figures.executing_mean = static_cast<double>(in_window_ns_.load(std::memory_order_relaxed)) /
                             static_cast<double>((to_ - from_).count());
  std::uint64_t executed = 0;
  for (const Fate fate : {won, lost, failed, cut_off})
    executed += ended_[1].fates[fate].load(std::memory_order_relaxed);
  if (executed > 0)
    figures.execution_mean_ns =
        static_cast<double>(ended_[1].executed_ns.load(std::memory_order_relaxed)) /
        static_cast<double>(executed);
  return figures;
}

AttemptExecution AttemptMeter::execution() const {
  AttemptExecution all;
  for (const Ended& each : ended_)
    all.stamps_ns += static_cast<double>(each.executed_ns.load(std::memory_order_relaxed));
  all.integral_ns = executing_.integral_ns();
  all.executing = executing_.in_flight();
  return all;
}

}  // namespace precipice
