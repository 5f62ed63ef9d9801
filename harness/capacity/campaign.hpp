// Runs a plan: calibrates, searches each cell, measures blocks in random order, repeats invalid
// trials. The only place that knows the order of things. Where results go and how trials are made
// is handed in, so that the same campaign runs on the real and the virtual clock, into a journal or
// into memory.
#pragma once

#include "harness/capacity/campaign_host.hpp"
#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"

namespace precipice {

CampaignResult run_campaign(const Plan& plan, CampaignHost& host);

}  // namespace precipice
