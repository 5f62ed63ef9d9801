// A comparison of two runs as a reader sees it in the terminal.
#pragma once

#include <string>

#include "harness/compare/comparison.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// Cell by cell: both sides, the ratio with its interval, the verdict, and underneath what was
/// adjusted or is known only as a bound.
std::string comparison_table(const RunComparison& comparison, const TableStyle& style);

}  // namespace precipice
