// Whether a run's claims hold: each relation judged by a 95% interval, and put into a sentence that
// carries the numbers.
#pragma once

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/compare/claim_figures.hpp"

namespace precipice {

/// `undecided`: the interval holds the bound, or there is none. `invalid`: a cell has no valid
/// measurement. `lacking`: a cell could not run because this machine lacks something.
enum class ClaimOutcome : std::uint8_t { holds, fails, undecided, invalid, lacking };
/// "holds", "fails", "undecided", "invalid measurement", "not on this machine".
const char* to_string(ClaimOutcome outcome);

/// A figure that the claim names.
struct ClaimReading {
  std::string call;  ///< as written: saturation(io_uring, sleep)
  FigureReading reading;
};

struct ClaimVerdict {
  Claim claim;
  ClaimOutcome outcome = ClaimOutcome::undecided;
  /// "saturation 98.1k/s against 12.4k/s, ratio 7.9 [7.4, 8.5], claimed > 1.10", or why there is no
  /// verdict.
  std::string numbers;
  /// What was compared with `claimed`: a "ratio" of the two sides, their "difference", or the
  /// "value" of the only side that was measured. NaN where there is none; ends may be infinite.
  std::string scale;
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  std::string claimed;  ///< "> 1.10", "within 10% of 500/s"
  std::vector<ClaimReading> figures;
};

/// All claims of the plan. The interval is the bootstrap's over blocks, the same blocks drawn for
/// every cell, on the logarithm of the sides' ratio (their difference where a side is not
/// positive), widened by what the figures' own intervals know beyond it: censored figures bound one
/// side only. Throws UsageError for a claim that does not parse or whose cells the plan does not
/// have.
std::vector<ClaimVerdict> judge_claims(const Plan& plan, const CampaignResult& run);

/// "holds: SAY: NUMBERS".
std::string sentence(const ClaimVerdict& verdict);

}  // namespace precipice
