// Runs a plan: calibrates, searches each cell, measures blocks in random order, repeats invalid
// trials. The only place that knows the order of things. Where results go and how trials are made
// is handed in, so that the same campaign runs on the real and the virtual clock, into a journal or
// into memory.
#pragma once

#include <functional>
#include <vector>

#include "harness/capacity/campaign_host.hpp"
#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"

namespace precipice {

/// Of each cell of a result, in its order: whether its place among the models of its workload is
/// open. Of the result only cells and `blocks_done` are filled.
using OpenCells = std::function<std::vector<bool>(const CampaignResult& so_far)>;

/// With `order_open`, what is left of the plan's budget after its blocks goes to further blocks of
/// the open cells; where the plan has a precision, of those that are not known to it.
CampaignResult run_campaign(const Plan& plan, CampaignHost& host, const OpenCells& order_open = {});

}  // namespace precipice
