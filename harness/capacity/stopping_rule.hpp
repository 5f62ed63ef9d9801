// When a campaign's cells need no further block: known to the precision that was asked for.
#pragma once

#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/capacity/probe_attempts.hpp"

namespace precipice {

/// Marks as known, after `blocks` blocks, each cell whose cliff and saturation have intervals
/// within plan.precision either way, or whose search has no bracket, so that further blocks cannot
/// place its cliff. Also settles the search of a cell whose saturation is that precise. The rule
/// depends on the widths of the intervals, not on the values. True when every measured cell is
/// known; false without a precision.
bool mark_known(const Plan& plan, int blocks, std::vector<CampaignCell>& cells);

}  // namespace precipice
