// Which models of a run still need blocks for their order to be known: the interim look of a
// group-sequential design.
#pragma once

#include <vector>

#include "harness/capacity/cell_summary.hpp"

namespace precipice {

/// The level of an interim look (J. L. Haybittle, "Repeated assessment of results in clinical
/// trials of cancer treatment", 1971; R. Peto et al., 1976). It is so far below that of the final
/// comparison that this needs no correction: n looks add at most n times 0.001 to its false alarms.
inline constexpr double kInterimLevel = 0.001;

/// Of each cell, whether its place among the models of its workload is open: it is in a pair that
/// the comparison of the cliffs, or where that has nothing to test, of the saturations, does not
/// decide at kInterimLevel, corrected by Holm as at the end. A pair with nothing to test in either
/// is not open, since no block would change that.
std::vector<bool> order_open(const CampaignResult& so_far);

}  // namespace precipice
