#include "harness/trial/timeline_accumulator.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "harness/stats/histogram.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
TimelineAccumulator::TimelineAccumulator(std::int64_t begin_ns, std::int64_t end_ns,
                                         std::int64_t deadline_ns)
    : begin_(begin_ns),
      end_(end_ns),
      deadline_(deadline_ns),
      offered_(TrialTimeline::kSlices),
      good_(TrialTimeline::kSlices),
      lost_(TrialTimeline::kSlices),
      responses_(TrialTimeline::kSlices) {}

std::size_t TimelineAccumulator::slice_of(std::int64_t at_ns) const {
  const double share = static_cast<double>(at_ns - begin_) / static_cast<double>(end_ - begin_);
  return std::min(TrialTimeline::kSlices - 1,
                  static_cast<std::size_t>(share * TrialTimeline::kSlices));
}

void TimelineAccumulator::add(const RequestOutcome& fate, bool unfinished) {
  const bool right = fate.end == End::completed && !fate.wrong;
  if (right && fate.completion_ns >= begin_ && fate.completion_ns < end_)
    good_[slice_of(fate.completion_ns)] += 1;
  if (fate.intended_ns < begin_ || fate.intended_ns >= end_) return;
  const std::size_t slice = slice_of(fate.intended_ns);
  offered_[slice] += 1;
  if (!right || unfinished) lost_[slice] += 1;
  if (right || unfinished)
    responses_[slice].push_back((unfinished ? deadline_ : fate.completion_ns) - fate.intended_ns);
}

TrialTimeline TimelineAccumulator::finish(double slo_ns, Nanos trigger_at) {
  TrialTimeline timeline;
  timeline.slice_s = static_cast<double>(end_ - begin_) * 1e-9 / TrialTimeline::kSlices;
  const auto rates = [&](const std::vector<double>& counts) {
    std::vector<double> values;
    for (const double count : counts) values.push_back(count / timeline.slice_s);
    return values;
  };
  timeline.offered_per_s = rates(offered_);
  timeline.goodput_per_s = rates(good_);
  timeline.lost_per_s = rates(lost_);
  const auto first = slice_of(begin_ + trigger_at.count());
  std::optional<std::size_t> last_broken;
  for (std::size_t i = 0; i < TrialTimeline::kSlices; ++i) {
    double p99 = kNaN;
    if (!responses_[i].empty()) {
      const std::array<double, 1> wanted{99};
      p99 = static_cast<double>(exact_percentiles(responses_[i], wanted).front());
    }
    timeline.p99_ns.push_back(p99);
    if (i >= first && (p99 > slo_ns || lost_[i] > 0.01 * offered_[i])) last_broken = i;
  }
  if (!last_broken) {
    timeline.recovered_after_s = 0;
  } else if (*last_broken + 1 < TrialTimeline::kSlices) {
    timeline.recovered_after_s = static_cast<double>(*last_broken + 1) * timeline.slice_s -
                                 std::chrono::duration<double>(trigger_at).count();
  }
  return timeline;
}

}  // namespace precipice
