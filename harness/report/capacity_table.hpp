// The table at the end of a campaign: what each model carries on each workload.
#pragma once

#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// One section a workload, ordered by cliff, invalid trials with their causes underneath. With
/// one block it shows an order and says that it compares nothing.
std::string table(const CampaignResult& result, const TableStyle& style);

}  // namespace precipice
