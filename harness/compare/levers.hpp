// What a policy moves: every series with policies beside the same model without any, on the same
// workload of the same run. Pure functions over what analyse() was given.
#pragma once

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// One figure of a series with a policy, of the one without, and the first over the second.
struct MovedFigure {
  /// As in summary.json, with its unit: `p50_ns`, `p99_ns`, `p999_ns` (where the SLO is about it),
  /// `cliff_per_s`, `saturation_per_s`, `overload_goodput_per_s` (at 1.5 times the own saturation),
  /// `attempts_per_request` (1 without a policy), `cpu_ns_per_request`, `cost_per_million`.
  std::string figure;
  double load_per_s = 0;  ///< the offered load of a response, the same on both sides; 0: of none
  Estimate with, without;
  /// With its 95% interval; `below` and `above` where one side is known by a bound.
  Estimate ratio;
  std::string missing;  ///< why a side is not known, or ""
};

/// A series with a policy, and what that moved.
struct Lever {
  Spec series, without, workload;
  std::string missing;  ///< why there is nothing to compare it with, or ""
  std::vector<MovedFigure> figures;
};

/// In the order of the run's cells: one for each series with a policy, and one for each series
/// over HTTP without a policy, which is compared with the same series in the process. Intervals are
/// those of claims
/// (docs/claims.md): a bootstrap over the blocks, which both sides share, and what is not known of
/// a figure beside its scatter; of one block only what a figure's own interval says. They are not
/// corrected for their number. Responses are compared at a quarter, half and three quarters of the
/// lower of the two saturations, and at up to four of the rates that were measured of both.
std::vector<Lever> levers_of(const CampaignResult& run);

}  // namespace precipice
