// A cell's figure as one side of a comparison.
#pragma once

#include <map>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/block_series.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/paired_t.hpp"

namespace precipice {

/// One cell's figure.
struct PairSide {
  Estimate estimate;           ///< of all blocks, with how it was censored
  bool of_all_blocks = false;  ///< the ratio is that of the estimates, not the mean of the blocks'
  BlockSeries series;
  std::map<int, double> adjust;  ///< added to a block's logarithm; empty: 0
  int blocks = 0;                ///< that the figure rests on
  double window_s = 1;
  /// Of the estimate's logarithm: what is known of its scatter besides what its blocks show, with
  /// the degrees of freedom beyond theirs; none: the blocks count alone.
  Deviation known;
  double least_error = 0;  ///< of the logarithm, whatever the blocks agree on
  std::string failure;     ///< why the cell was not measured, or ""
};

/// `figure`: "cliff" or "saturation". `slo_ns` is where the cliff is read, the cell's own or one
/// that two cells share; `adjust` is added to the blocks' logarithms.
PairSide side_of(const CellSummary& cell, const char* figure, double slo_ns,
                 std::map<int, double> adjust);

/// "series workload".
std::string cell_name(const CellSummary& cell);

}  // namespace precipice
