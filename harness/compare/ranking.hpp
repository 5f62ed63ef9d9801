// The models of one run in order, and which of them can be told apart. Pure functions over what
// analyse() was given. docs/comparisons.md explains the method.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/pair_types.hpp"

namespace precipice {

/// All pairs of models on one workload, inside one run: blocks are shared, so nothing is adjusted.
struct Ranking {
  struct Row {
    Spec model;
    Estimate estimate;
    Comparison to_first;  ///< A: the first measured row, B: this one; of that row itself ratio 1
    std::string groups;   ///< letters; rows that share one cannot be told apart. "" of one block
  };
  Spec workload;
  std::string figure;
  int blocks = 0;
  std::vector<Row> rows;          ///< highest first; those without a figure last
  std::vector<Comparison> pairs;  ///< of rows i < j, row by row: A is row i, B row j
  /// Relative difference between two models (with one model: between two such runs) that this suite
  /// finds here in 80% of the attempts, at 5%. NaN where no two blocks say.
  double detectable = kNaN;

  /// Of rows i < j.
  const Comparison& pair(std::size_t i, std::size_t j) const {
    return pairs[i * rows.size() - i * (i + 1) / 2 + (j - i - 1)];
  }
};

struct RunRanking {
  int blocks = 0;
  int tests = 0;  ///< of all rankings; each ranking is a family of Holm's correction
  std::vector<Ranking> rankings;  ///< by workload, cliff before saturation
};

/// From rows and pairs: the ratios to the first row, the letters and the detectable difference.
void finish_ranking(Ranking& ranking);

RunRanking rank_models(const CampaignResult& result, const ComparisonOptions& options = {});

}  // namespace precipice
