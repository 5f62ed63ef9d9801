// The lines of the live view of a campaign under way.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/capacity/campaign.hpp"
#include "harness/report/capacity_so_far.hpp"

namespace precipice {

/// First what is being measured, then the workload's series, each with its capacity so far, last
/// the count of invalid trials and the time. No line is longer than `width` columns, and there are
/// at most `height` lines: where they do not fit, only the series under way stays, then none. ASCII
/// only.
std::vector<std::string> live_view(const CampaignHost::Progress& progress,
                                   const CapacitySoFar& so_far, std::size_t width,
                                   std::size_t height);

}  // namespace precipice
