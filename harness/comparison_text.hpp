// Comparisons and rankings as a reader sees them: in the terminal and as JSON.
#pragma once

#include <string>

#include "harness/comparison.hpp"
#include "harness/table.hpp"
#include "harness/trial_json.hpp"

namespace precipice {

/// Cell by cell: both sides, the ratio with its interval, the verdict, and underneath what was
/// adjusted or is known only as a bound.
std::string comparison_table(const RunComparison& comparison, const TableStyle& style);
Json to_json(const RunComparison& comparison);

/// The end of a run: per workload its models in order of cliff and of saturation, which of them
/// cannot be told apart, and the smallest difference that the suite detects here. "" when there is
/// nothing to rank.
std::string ranking(const CampaignResult& result, const TableStyle& style);
/// An array for summary.json, one element per workload and figure.
Json ranking_json(const CampaignResult& result);

/// "3.0%", "12%".
std::string percent(double share);

}  // namespace precipice
