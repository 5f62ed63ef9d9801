// The models of one run in order, and the texts of a comparison that every such table shares.
#pragma once

#include <string>

#include "harness/compare/pair_types.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/report/text_style.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// As rate_text (estimate_text.hpp), with a lower bound as "≥ 12.3k".
std::string figure_text(const Estimate& estimate, bool interval, const TableStyle& style);

/// The ratio of a comparison with its interval, or a dash.
std::string ratio_text(const Comparison& comparison, const TableStyle& style);

/// The end of a run: per workload its models in order of cliff and of saturation, which of them
/// cannot be told apart, and the smallest difference that the suite detects here. "" when there is
/// nothing to rank.
std::string ranking(const RunRanking& all, const TableStyle& style);

}  // namespace precipice
