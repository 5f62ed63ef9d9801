// Comparisons and rankings as JSON: what `compare --json` prints and summary.json keeps.
#pragma once

#include <vector>

#include "harness/compare/changes.hpp"
#include "harness/compare/comparison.hpp"
#include "harness/compare/levers.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/compare/verdict.hpp"
#include "harness/json.hpp"

namespace precipice {

Json to_json(const RunComparison& comparison);
/// An array for summary.json, one element per workload and figure.
Json ranking_json(const RunRanking& ranking);
/// "verdict": an array for summary.json, one element per workload: its line of text and its parts.
Json verdict_json(const std::vector<WorkloadVerdict>& verdicts);
/// "levers": an array for summary.json, one element per series with a policy and workload.
Json levers_json(const std::vector<Lever>& levers);
/// "changes": one element per figure of a cell that is not unchanged, then the counts.
Json changes_json(const Overlay& overlay);

}  // namespace precipice
