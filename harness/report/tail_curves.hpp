// Small curves for the terminal: how the tail grows with offered load, one line a series.
#pragma once

#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// The tail of one series over offered load: median p99 of the blocks' used trials at each rate.
struct TailCurve {
  std::vector<double> rate_per_s;  ///< ascending
  std::vector<double> p99_ns;
};
TailCurve tail_curve(const CellSummary& cell);

/// The curve's p99 at a load, interpolated between measured rates on logarithmic axes; NaN outside
/// of what was measured.
double tail_at(const TailCurve& curve, double rate_per_s);

/// One section a workload, all its series on the same two logarithmic axes: load to the right,
/// p99 as height, the upper half of which breaks the SLO (where that is of p99). A line never
/// exceeds the style's width. In colour, what breaks the SLO is red.
/// "" when no cell has a curve.
std::string curves(const CampaignResult& result, const TableStyle& style);

}  // namespace precipice
