// The cliff of a cell over a grid of bounds and percentiles: what a report reads when its reader
// moves the SLO, estimated as the cell's own cliff is.
#pragma once

#include <vector>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

struct SloGrid {
  std::vector<double> percentiles;  ///< ascending; the cell's own is among them
  /// Ascending, each the same multiple of the one before; the cell's SLO is exactly one of them.
  std::vector<double> bounds_ns;
  std::vector<std::vector<Estimate>> cliffs;  ///< by percentile, then by bound
};

/// `result`: what the summary shows for the same points and options. It stands in the grid at the
/// cell's SLO, and the grid is made consistent with it as ordered_for_display does. Bounds range
/// from below the lowest to above the highest percentile of the stable trials. Empty where the cell
/// has no SLO. Pure.
SloGrid slo_grid(const std::vector<Point>& points, const CliffOptions& options,
                 const CellResult& result);

}  // namespace precipice
