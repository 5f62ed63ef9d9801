#include "harness/trial/policy_watch.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

constexpr std::array<std::string_view, 3> kKnobs = {"limit", "batch_size", "hedge_after_ns"};

}  // namespace

PolicyWatch::PolicyWatch(AttemptMeter& meter, const Model& chain, Timeline& timeline, Time from,
                         Time to)
    : meter_(meter),
      chain_(chain),
      timeline_(timeline),
      from_(from),
      slice_((to - from) / TrialTimeline::kSlices),
      values_(TrialTimeline::kSlices, kNaN) {
  meter_.count_by_time(from, slice_, TrialTimeline::kSlices);
  for (const auto& [name, value] : chain.stats()) {
    if (std::find(kKnobs.begin(), kKnobs.end(), name) != kKnobs.end()) knob_ = name;
  }
  if (!knob_.empty()) expect(0);
}

void PolicyWatch::expect(std::uint64_t slice) noexcept {
  timeline_.at(from_ + static_cast<std::int64_t>(slice + 1) * slice_,
               {&PolicyWatch::due, this, slice});
}

void PolicyWatch::due(void* self, std::uint64_t slice) noexcept {
  auto& watch = *static_cast<PolicyWatch*>(self);
  for (const auto& [name, value] : watch.chain_.stats()) {
    if (name == watch.knob_) watch.values_[slice] = value;
  }
  if (slice + 1 < watch.values_.size()) watch.expect(slice + 1);
}

void PolicyWatch::stop() {
  timeline_.drop(this);
  begun_ = meter_.begun_by_slice();
}

void PolicyWatch::fill(TrialTimeline& into) const {
  for (const std::uint64_t count : begun_)
    into.attempts_per_s.push_back(static_cast<double>(count) / into.slice_s);
  into.knob = knob_;
  if (!knob_.empty()) into.knob_values = values_;
}

}  // namespace precipice
