// The exit code of the verbs that run a campaign: run and capacity.
#pragma once

#include "harness/capacity/cell_summary.hpp"
#include "harness/cli/verb.hpp"

namespace precipice::cli {

/// kDone if every cell has a cliff or a bound of it. A cell without one counts as kLacking if a
/// limit of the machine is the reason, else as kInvalid, which outweighs the other.
Exit exit_of(const CampaignResult& result);

}  // namespace precipice::cli
