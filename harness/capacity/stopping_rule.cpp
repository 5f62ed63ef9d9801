#include "harness/capacity/stopping_rule.hpp"

#include "harness/capacity/cell_evidence.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

bool mark_known(const Plan& plan, int blocks, std::vector<CampaignCell>& cells) {
  // Fewer blocks show their own scatter too badly for an interval to be a reason to stop; twins
  // show it in every trial.
  constexpr int kLeastBlocks = 5, kLeastOfSaturation = 4, kLeastWithTwins = 3;
  if (plan.precision <= 0 || blocks < kLeastWithTwins) return false;
  const auto precise = [&](const Estimate& estimate) {
    return estimate.reached == Reached::ok &&
           (estimate.high - estimate.low) / 2 <= plan.precision * estimate.value;
  };
  bool all = true;
  for (CampaignCell& cell : cells) {
    if (cell.known || !cell.summary.failure.empty() || !cell.search) continue;
    CellSummary summary = cell.summary;
    estimate_figures(plan, summary);
    const CellResult& result = summary.result;
    const int fewer = result.twin_weight > 0 ? kLeastBlocks - kLeastWithTwins : 0;
    if (blocks >= kLeastOfSaturation - fewer && precise(result.saturation)) cell.search->settle();
    // What could not be offered, or met by nothing, no further block will show.
    cell.known =
        blocks >= kLeastBlocks - fewer &&
        (!cell.search->bracketed() || (precise(result.cliff) && precise(result.saturation)));
    all = all && cell.known;
  }
  return all;
}

}  // namespace precipice
