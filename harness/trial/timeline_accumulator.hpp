// From requests to the slices of a trial's timeline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/trial/request_outcome.hpp"
#include "harness/trial/trial_timeline.hpp"

namespace precipice {

/// Requests in, slices out. Times are nanoseconds since the trial's epoch. Not thread-safe.
class TimelineAccumulator {
 public:
  TimelineAccumulator(std::int64_t begin_ns, std::int64_t end_ns, std::int64_t deadline_ns);
  /// `unfinished`: counted as at the deadline.
  void add(const RequestOutcome& fate, bool unfinished);
  /// `trigger_at`: from the start of the window.
  TrialTimeline finish(double slo_ns, Nanos trigger_at);

 private:
  std::size_t slice_of(std::int64_t at_ns) const;

  const std::int64_t begin_, end_, deadline_;
  std::vector<double> offered_, good_, lost_;
  std::vector<std::vector<std::int64_t>> responses_;
};

}  // namespace precipice
