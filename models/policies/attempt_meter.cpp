#include "models/policies/attempt_meter.hpp"

#include <cerrno>
#include <new>

namespace precipice {

void AttemptMeter::count_by_time(const Timeline& timeline, Time from, Nanos slice,
                                 std::size_t slices) {
  by_slice_ = std::vector<std::atomic<std::uint64_t>>(slices);
  slices_from_ = from;
  slice_ = slice;
  timeline_ = &timeline;
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
  if (timeline_ != nullptr) {
    const Nanos at = timeline_->now() - slices_from_;
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
  Outcome outcome;
  try {
    outcome = co_await meter.above_.attempt(meter.above_.context, io, request);
  } catch (const std::bad_alloc&) {  // of the attempt's frame
    outcome = Outcome::failed(ENOMEM);
  }
  const bool of_use = meter.above_.end(meter.above_.context, request, outcome);
  meter.count(request, outcome.succeeded()                   ? (of_use ? won : lost)
                       : outcome.error == Outcome::kNeedless ? cancelled
                       : outcome.error == ECANCELED          ? unfinished
                                                             : failed);
}

void AttemptMeter::refuse(void* self, const Request& request, Refusal why) noexcept {
  auto& meter = *static_cast<AttemptMeter*>(self);
  meter.above_.refuse(meter.above_.context, request, why);
  meter.count(request, fate_of(why));
}

AttemptCounts AttemptMeter::counts(std::size_t place) const {
  const auto of = [&](Fate fate) { return fates_[place][fate].load(std::memory_order_relaxed); };
  return {begun_[place].load(std::memory_order_relaxed),
          of(won),
          of(lost),
          of(failed),
          of(cancelled),
          of(refused),
          of(unfinished)};
}

}  // namespace precipice
