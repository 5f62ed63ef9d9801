#include "harness/cli/campaign_exit.hpp"

#include "harness/stats/estimate.hpp"

namespace precipice::cli {

Exit exit_of(const CampaignResult& result) {
  bool lacking = false, invalid = false;
  for (const CellSummary& cell : result.cells) {
    if (!cell.failure.empty() || cell.result.cliff.reached == Reached::unmeasured)
      (cell.lacking ? lacking : invalid) = true;
  }
  return invalid ? kInvalid : lacking ? kLacking : kDone;
}

}  // namespace precipice::cli
