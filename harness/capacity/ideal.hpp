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
};

/// Only for cells with a valid point, of work that never waits, and for the oracle with one fcfs
/// queue; nullopt otherwise. Takes S_ref, the SLO and the trials from `cell`. The cliff as a share
/// of saturation is searched once for a kind of queue. Not thread-safe.
std::optional<Ideal> ideal_of(const Plan& plan, const CellSummary& cell);

}  // namespace precipice
