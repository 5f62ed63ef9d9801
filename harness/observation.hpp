// From slots to numbers: the part of a trial's result that follows from its stamps alone, the same
// for the real clock and the virtual one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/slots.hpp"
#include "harness/trial.hpp"

namespace precipice {

/// What happened, ready to be summarised. Times are nanoseconds since the trial's epoch.
struct Observation {
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

/// Fills counts, rates, percentiles, histograms, slices, the mean in flight, stability, `drained`,
/// and the conservation and digest verdicts. Leaves everything that needs a clock, the kernel or a
/// model's counters.
StampTotals summarise(const Observation& observation, Trial& trial);

/// Nearest-rank percentiles of all samples; reorders them.
Percentiles percentiles_of(std::vector<std::int64_t>& samples);

/// Number of slices of the window kept for heat maps and stationarity.
inline constexpr int kSlices = 20;

}  // namespace precipice
