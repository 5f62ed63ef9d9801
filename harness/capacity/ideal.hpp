// What c CPUs without any overhead would carry of a cell's work.
#pragma once

#include <limits>
#include <optional>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"

namespace precipice {

/// Saturation c / S, and the cliff of one queue before c servers with the workload's own
/// distribution, found on the virtual clock by the same search.
struct Ideal {
  double saturation_per_s = 0;
  double cliff_per_s = std::numeric_limits<double>::quiet_NaN();
  /// The cliff of the same queue when it plays the very sequences of arrivals that the cell was
  /// measured with: a few hundred requests a trial can lie 15% off together, and a model and its
  /// ideal then do so alike (common random numbers; Law and Kelton, Simulation Modeling and
  /// Analysis, 11.2). NaN where the sequences are not the plan's, as in runs of earlier versions,
  /// where the queue's cliff is not among the rates, or where a window has so many requests that
  /// their luck is below 1%.
  double cliff_of_sequences_per_s = std::numeric_limits<double>::quiet_NaN();
};

/// Only for cells with a valid point, of work that never waits, and for the oracle with one fcfs
/// queue; nullopt otherwise. Takes S_ref, the SLO and the trials from `cell`. The cliff as a share
/// of saturation is searched once for a kind of queue. Not thread-safe.
std::optional<Ideal> ideal_of(const Plan& plan, const CellSummary& cell);

}  // namespace precipice
