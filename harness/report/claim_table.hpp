// Claims as a reader sees them: whether they hold, and whether another run confirms them.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/claim_verdict.hpp"
#include "harness/compare/reproduction.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// "3 hold, 1 fails".
std::string claim_counts(const std::vector<ClaimVerdict>& verdicts);

/// The outcome, the sentence, and under it the numbers. At least 60 columns wide.
std::string claim_table(const std::vector<ClaimVerdict>& verdicts, const TableStyle& style);

std::string reproduction_table(const Reproduction& all, const TableStyle& style);

}  // namespace precipice
