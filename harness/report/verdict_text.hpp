// The verdicts of a run for the terminal.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// One line a workload (verdict_sentence), in the style's width and at most 100 columns; "" for
/// none.
std::string verdict_text(const std::vector<WorkloadVerdict>& verdicts, const TableStyle& style);

}  // namespace precipice
