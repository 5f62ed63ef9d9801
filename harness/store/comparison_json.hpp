// Comparisons and rankings as JSON: what `compare --json` prints and summary.json keeps.
#pragma once

#include "harness/compare/changes.hpp"
#include "harness/compare/comparison.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/json.hpp"

namespace precipice {

Json to_json(const RunComparison& comparison);
/// An array for summary.json, one element per workload and figure.
Json ranking_json(const RunRanking& ranking);
/// "changes": one element per figure of a cell that is not unchanged, then the counts.
Json changes_json(const Overlay& overlay);

}  // namespace precipice
