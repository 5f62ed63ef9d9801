// What the trials of a cell show of a figure, rate by rate.
#pragma once

#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/compare/at_load.hpp"
#include "harness/compare/claim_vocabulary.hpp"

namespace precipice {

/// Whether it is of response times.
constexpr bool is_response(Figure figure) { return figure >= Figure::mean; }
/// The percentile that the groups of a figure at a load are gathered for; the median's, where the
/// figure is none.
double percentile_of(Figure figure);

/// The figure at each rate of `groups`, ascending, over the blocks that the weights draw:
/// responses in seconds, a goodput as a share of the rate, a loss as a share. Rates at which a
/// response is not known are left out. `of_class`: the groups are those of one class
/// (points_of_class with this percentile). Pure.
std::vector<MeasuredAt> measured_rates(const CellSummary& cell, const RateGroups& groups,
                                       const BlockWeights& weights, Figure figure, bool of_class);

}  // namespace precipice
