// Who carries most under the SLO on a workload, which models cannot be told from it, and what the
// others carry of it. Pure functions over a ranking by cliff.
#pragma once

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

enum class VerdictKind {
  unmeasured,  ///< no model has a figure
  none_holds,  ///< every model breaks the SLO at the lowest rate tried
  single,      ///< one model alone has a figure
  winner,      ///< the first is apart from every other
  alike,       ///< the first cannot be told from those beside it, all of which are measured
  open,        ///< the order of the first ones is not known: bounds, or too little evidence
};
/// "unmeasured", "none holds", "single", ...
const char* to_string(VerdictKind kind);

/// The verdict on one workload.
struct WorkloadVerdict {
  struct Row {
    Spec model;
    Estimate cliff;  ///< as it is compared: of a bound, the one that holds with confidence
    /// Of the first model's cliff, with the interval of the comparison. Where either is a bound,
    /// what the share is below or above, as `reached` says.
    double share = kNaN, low = kNaN, high = kNaN;
    Reached reached = Reached::unmeasured;
    bool apart = false;  ///< from the first model
    std::string groups;  ///< letters; rows that share one are not told apart
  };
  Spec workload;
  double slo_ns = 0, slo_percentile = 99;
  int blocks = 0;
  VerdictKind kind = VerdictKind::unmeasured;
  std::vector<Row> best;         ///< highest first; no two are told apart
  std::vector<Row> rest;         ///< highest first
  std::vector<Row> none;         ///< break the SLO at the lowest rate tried
  std::vector<Spec> unmeasured;  ///< without a figure
};

/// One for each workload, in the order of the rankings.
std::vector<WorkloadVerdict> verdicts_of(const CampaignResult& result, const RunRanking& ranking);

}  // namespace precipice
