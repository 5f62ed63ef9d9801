// From slots to numbers: the part of a trial's result that follows from its stamps alone, the same
// for the real clock and the virtual one.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "harness/trial/request_outcome.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/timeline_accumulator.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// What happened, ready to be summarised. Times are nanoseconds since the trial's epoch.
struct Recording {
  std::span<const std::int64_t>
      intended_ns;  ///< one per slot; empty in a closed loop: dispatch is meant
  const Slots* slots = nullptr;
  std::size_t issued = 0;            ///< slots used (a closed loop may use fewer than there are)
  std::int64_t window_begin_ns = 0;  ///< requests before it are warm-up: conserved, not measured
  std::int64_t window_end_ns = 0;
  std::int64_t deadline_ns = 0;  ///< when draining was given up
  std::span<const std::uint64_t>
      digests;  ///< the table of `inline`, by request seed; empty: not checked
  std::uint64_t schedule_seed = 0;
};

/// The stamps' side of Little's law.
struct StampTotals {
  double in_flight_ns =
      0;  ///< sum over accepted requests of completion - dispatch, warm-up included
  std::uint64_t accepted = 0;
  bool all_ended = false;  ///< every dispatched request ended before the deadline
};

/// Samples of which all may be equal, as on a virtual clock: then only counted.
class Samples {
 public:
  Samples();
  ~Samples();
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  void add(std::int64_t value) {
    if (varied_) {
      values_.push_back(value);
    } else if (equal_ == 0 || value == first_) {
      first_ = value;
      ++equal_;
    } else {
      vary(value);
    }
  }
  Percentiles percentiles() const { return percentiles(50, nullptr); }
  /// And one more at `own`, in `own_ns`.
  Percentiles percentiles(double own, std::int64_t* own_ns) const;
  BatchScatter scatter() const;

 private:
  void vary(std::int64_t value);

  std::vector<std::int64_t> values_;
  std::int64_t first_ = 0;
  std::uint64_t equal_ = 0;
  bool varied_ = false;
};

/// In-flight requests at kInstants instants of the window, from one pass over the stamps.
class Occupancy {
 public:
  /// Enough for a slope, few enough for all their pairs.
  static constexpr int kInstants = 40;

  Occupancy(std::int64_t begin_ns, std::int64_t end_ns)
      : begin_(begin_ns),
        end_(end_ns),
        step_(static_cast<double>(end_ns - begin_ns) / kInstants),
        per_ns_(1 / step_) {}

  void add(std::int64_t from_ns, std::int64_t to_ns) {
    const std::int64_t overlap = std::min(to_ns, end_) - std::max(from_ns, begin_);
    if (overlap > 0) overlap_ns_ += static_cast<double>(overlap);
    // Most come and go between two instants.
    if (from_ns >= quiet_from_ && to_ns <= quiet_to_) return;
    const std::size_t first = index(from_ns), last = index(to_ns);
    ++change_[first];
    --change_[last];
    quiet_from_ =
        begin_ + static_cast<std::int64_t>((static_cast<double>(first) - 0.5) * step_) + 2;
    quiet_to_ = begin_ + static_cast<std::int64_t>((static_cast<double>(first) + 0.5) * step_) - 2;
  }
  double mean() const { return step_ > 0 ? overlap_ns_ / (step_ * kInstants) : 0; }
  std::vector<double> counts() const;
  double seconds_per_step() const { return step_ * 1e-9; }

 private:
  /// First instant (the middle of step i) at or after the time.
  std::size_t index(std::int64_t at_ns) const {
    if (at_ns <= begin_) return 0;
    if (at_ns >= end_) return kInstants;
    const double position = static_cast<double>(at_ns - begin_) * per_ns_ - 0.5;
    if (position <= 0) return 0;
    const auto whole = static_cast<std::size_t>(position);
    return whole + static_cast<std::size_t>(position > static_cast<double>(whole));
  }

  std::int64_t begin_, end_;
  double step_, per_ns_;
  double overlap_ns_ = 0;
  std::int64_t quiet_from_ = 0, quiet_to_ = -1;  ///< no instant lies between them
  std::array<std::int64_t, kInstants + 1> change_{};
};

/// Number of slices of the window kept for heat maps and stationarity.
inline constexpr int kSlices = 20;

/// Requests in, one after another in order of intended arrival; a Trial out. The slots of a
/// measurement and the events of a simulation go through the same one. Not thread-safe.
class TrialAccumulator {
 public:
  /// `observation.slots` is not looked at. `trial` holds the request, and outlives this.
  TrialAccumulator(const Recording& observation, Trial& trial);
  void add(const RequestOutcome& fate);
  StampTotals finish();

 private:
  void measure(const RequestOutcome& fate, bool unfinished);
  void measure_class(const RequestOutcome& fate, bool unfinished);
  Histogram& slice_at(std::int64_t intended_ns);

  const std::int64_t begin_, end_, deadline_;
  const bool open_loop_;
  Trial& trial_;
  StampTotals totals_;
  std::optional<TimelineAccumulator> timeline_;
  std::deque<Samples> class_responses_;  ///< one a class, if there are any
  Occupancy occupancy_;
  Samples response_, lag_, self_lag_, model_lag_, submit_, residence_;
  std::array<std::uint64_t, kRefusalKinds> refused_{};
  std::uint64_t lost_ = 0, repeated_ = 0, wrong_ = 0, good_ = 0;
  std::int64_t perfect_free_ = 0;  ///< when a perfect generator would be free again
  std::int64_t slice_ns_, slice_begin_, slice_end_;
  std::size_t slice_ = 0;
  std::uint64_t backlog_ = 0;
  std::int64_t last_end_;
};

inline Histogram& TrialAccumulator::slice_at(std::int64_t intended_ns) {
  if (intended_ns < slice_begin_ || intended_ns >= slice_end_) {
    const std::int64_t slice =
        std::min<std::int64_t>(kSlices - 1, (intended_ns - begin_) / slice_ns_);
    slice_ = static_cast<std::size_t>(slice);
    slice_begin_ = begin_ + slice * slice_ns_;
    slice_end_ = slice == kSlices - 1 ? end_ : slice_begin_ + slice_ns_;
  }
  return trial_.slices[slice_];
}

inline void TrialAccumulator::add(const RequestOutcome& fate) {
  const bool measured = fate.intended_ns >= begin_ && fate.intended_ns < end_;
  const std::int64_t perfect = std::max(fate.intended_ns, perfect_free_);
  perfect_free_ = perfect + fate.submit_ns;
  if (measured) ++trial_.counts.scheduled;
  if (fate.dispatch_ns < 0) {
    if (measured) ++trial_.counts.unsent;
    return;
  }
  if (fate.ends == 0) ++lost_;
  if (fate.ends > 1) ++repeated_;
  if (fate.wrong) ++wrong_;
  const bool unfinished =
      fate.ends == 0 || fate.completion_ns > deadline_ || fate.ended_by_shutdown();
  if (timeline_) timeline_->add(fate, unfinished);
  if (!fate.shed) {
    ++totals_.accepted;
    const std::int64_t until = unfinished ? deadline_ : fate.completion_ns;
    totals_.in_flight_ns += static_cast<double>(until - fate.dispatch_ns);
    if (unfinished) totals_.all_ended = false;
    occupancy_.add(fate.dispatch_ns, until);
    if (until > end_ && fate.intended_ns < end_) {
      ++backlog_;
      last_end_ = std::max(last_end_, std::min(until, deadline_));
    }
  }
  // By completion: an overload's backlog that drains after the window is not what it carried.
  const bool right = fate.end == End::completed && !fate.wrong;
  if (right && fate.completion_ns >= begin_ && fate.completion_ns < end_) ++good_;
  if (!measured) return;

  ++trial_.counts.sent;
  lag_.add(fate.dispatch_ns - fate.intended_ns);
  if (open_loop_) {
    self_lag_.add(fate.dispatch_ns - perfect);
    model_lag_.add(perfect - fate.intended_ns);
  }
  submit_.add(fate.submit_ns);
  measure(fate, unfinished);
  if (!class_responses_.empty()) measure_class(fate, unfinished);
}

inline void TrialAccumulator::measure(const RequestOutcome& fate, bool unfinished) {
  Counts& counts = trial_.counts;
  if (unfinished) {
    ++counts.unfinished;
  } else if (fate.end == End::shed) {
    ++counts.shed;
    ++refused_[static_cast<std::size_t>(std::clamp(fate.error, 0, kRefusalKinds - 1))];
  } else if (fate.end == End::failed) {
    ++counts.failed;
    ++trial_.errors[fate.error];
  } else {
    ++counts.completed;
    trial_.checksum += fate.digest;
    residence_.add(fate.completion_ns - fate.begin_ns);
  }
  if (unfinished || fate.end == End::completed) {
    const std::int64_t value = (unfinished ? deadline_ : fate.completion_ns) - fate.intended_ns;
    if (unfinished)
      trial_.response_bound_from_ns =
          std::min(trial_.response_bound_from_ns.value_or(value), value);
    response_.add(value);
    slice_at(fate.intended_ns).record(value);
  }
}

/// Fills counts, rates, percentiles, histograms, slices, the mean in flight, stability, `drained`,
/// and the conservation, digest and window verdicts. Leaves everything that needs a clock, the
/// kernel or a model's counters.
StampTotals summarise(const Recording& observation, Trial& trial);

}  // namespace precipice
