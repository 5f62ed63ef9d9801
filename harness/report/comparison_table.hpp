// Comparisons and rankings as a reader sees them in the terminal.
#pragma once

#include <string>

#include "harness/compare/comparison.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// Cell by cell: both sides, the ratio with its interval, the verdict, and underneath what was
/// adjusted or is known only as a bound.
std::string comparison_table(const RunComparison& comparison, const TableStyle& style);

/// The end of a run: per workload its models in order of cliff and of saturation, which of them
/// cannot be told apart, and the smallest difference that the suite detects here. "" when there is
/// nothing to rank.
std::string ranking(const RunRanking& all, const TableStyle& style);
}  // namespace precipice
