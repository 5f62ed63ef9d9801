// When a campaign's cells need no further block: known to the precision that was asked for.
#pragma once

#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/capacity/probe_attempts.hpp"

namespace precipice {

/// Marks the cells whose cliff and saturation are known to within plan.precision, either way, after
/// `blocks` blocks. A cell that is gets no further block: the time goes to those that are not. That
/// depends on the widths of the intervals and not on what they say. True where no other cell is
/// left; without a precision, false.
bool mark_known(const Plan& plan, int blocks, std::vector<CampaignCell>& cells);

}  // namespace precipice
