// What a run shows, put into claims: so that a run whose suite claims nothing can be confirmed
// elsewhere too.
#pragma once

#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"

namespace precipice {

struct DerivedClaimOptions {
  /// Least tolerance of a ratio and of a share.
  double tolerance = 0.15;
  /// A repetition is as uncertain as the original, and its whole interval has to fit in: so many
  /// times the original's half interval.
  double times_uncertainty = 2;
  /// What needs a wider tolerance than this is not claimed: everything would confirm it.
  double widest = 0.5;
};

/// Shape only, so that it can hold on another machine: per workload the order of models whose
/// intervals do not touch (without what follows from two others), each saturation as a ratio to the
/// highest, and each cliff as a share of the cell's own saturation. Each is judged on the run
/// itself first, and what that does not show is not claimed. Bounds give orders, never ratios.
/// Empty when nothing was measured well enough. `plan` is the run's; its own claims do not matter.
std::vector<Claim> derived_claims(Plan plan, const CampaignResult& run,
                                  const DerivedClaimOptions& options = {});

}  // namespace precipice
