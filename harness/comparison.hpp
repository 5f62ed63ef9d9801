// Which of two is higher, and by how much: two runs cell by cell, or the models of one run. Pure
// functions over what analyse() was given. docs/comparisons.md explains the method.
#pragma once

#include <string>
#include <vector>

#include "harness/campaign.hpp"
#include "harness/statistics.hpp"

namespace precipice {

/// Below this many blocks no winner is named: with 10 pairs Holm cannot reject on less.
inline constexpr int kBlocksForAWinner = 9;

enum class Verdict {
  a_higher,
  b_higher,
  indistinguishable,       ///< the interval of the ratio holds 1
  no_relevant_difference,  ///< the whole interval lies within the least effect that matters
  undecided,               ///< neither of these, or only a bound is known and does not decide
  too_few_blocks,          ///< the interval leaves out 1, but no winner is named
  not_compared,            ///< a side has no figure at all
};
/// "A higher", "no relevant difference", ...
const char* to_string(Verdict verdict);

struct ComparisonOptions {
  double alpha = 0.05;    ///< of the whole family
  double min_effect = 0;  ///< least relative difference that matters, as 0.03; 0: any
  /// Relative standard deviation that all blocks of a run share and that two runs differ by without
  /// cause. Not visible in one run, so it comes from measured A/A pairs (docs/comparisons.md).
  double between_runs = 0;
};

/// One figure of two cells.
struct Comparison {
  std::string figure;  ///< "saturation" or "cliff", per second
  Estimate a, b;       ///< of each side by itself, not adjusted for the machine's speed
  int blocks = 0;      ///< pairs
  /// B / A by blocks, adjusted; NaN where a side is censored.
  double ratio = kNaN;
  double low = kNaN, high = kNaN;      ///< at the level at which Holm decided it
  double low95 = kNaN, high95 = kNaN;  ///< of this comparison alone
  double p = kNaN, p_holm = kNaN;      ///< NaN where there is nothing to test
  double scatter = kNaN;               ///< standard deviation of a block's log-ratio
  double detectable = kNaN;  ///< relative difference that is found in 80% of the attempts, at 5%
  Verdict verdict = Verdict::not_compared;
  std::string
      order;  ///< side whose estimate (or bound) is higher, "A" or "B", or "equal"; "" if unknown
  std::string remark;  ///< what is known of a censored figure, or why there is none
};

/// The cells of two runs that are held against each other.
struct ComparedCell {
  Spec model_a, workload_a, model_b, workload_b;
  bool by_kind = false;  ///< labels differ; paired as the only unmatched cells of their names
  /// Work that only computes is compared at equal machine speed and equal amounts of work.
  bool adjusted = false;
  /// How much faster the machine was in B than in A by the probes of the blocks, as 0.04: their
  /// mean, lowest and highest. NaN without probes.
  double speed = kNaN, speed_low = kNaN, speed_high = kNaN;
  double work = 1;  ///< iterations of one request in B over those in A, for equal nominal work
  double slo_percentile = 99;
  double slo_a_ns = 0, slo_b_ns = 0;                ///< that each run had for itself
  double slo_common_a_ns = 0, slo_common_b_ns = 0;  ///< at which both were read for this
  std::vector<Comparison> figures;                  ///< saturation, cliff
};

struct RunToCompare {
  std::string name;
  const CampaignResult* result = nullptr;
  /// Calibration of the run's CPU work, from its manifest; 0: unknown.
  double cpu_iterations_per_us = 0;
};

struct RunComparison {
  std::string name_a, name_b;
  int blocks_a = 0, blocks_b = 0;
  double min_effect = 0;
  int tests = 0;  ///< in the family that Holm's correction covers
  std::vector<ComparedCell> cells;
  std::vector<std::string> only_a, only_b;  ///< "series workload", without a counterpart
  std::vector<std::string> remarks;         ///< of machines, binaries and suites that differ
};

RunComparison compare_runs(const RunToCompare& a, const RunToCompare& b,
                           const ComparisonOptions& options = {});

/// All pairs of models on one workload, inside one run: blocks are shared, so nothing is adjusted.
struct Ranking {
  struct Row {
    Spec model;
    Estimate estimate;
    Comparison to_first;  ///< A: the first measured row, B: this one; of that row itself ratio 1
    std::string groups;   ///< letters; rows that share one cannot be told apart. "" below 9 blocks
  };
  Spec workload;
  std::string figure;
  int blocks = 0;
  std::vector<Row> rows;          ///< highest first; those without a figure last
  std::vector<Comparison> pairs;  ///< of rows i < j, row by row: A is row i, B row j
  /// Relative difference between two models (with one model: between two such runs) that this suite
  /// finds here in 80% of the attempts, at 5%. NaN where no two blocks say.
  double detectable = kNaN;
};

struct RunRanking {
  int blocks = 0;
  int tests = 0;
  std::vector<Ranking> rankings;  ///< by workload, cliff before saturation
};

RunRanking rank_models(const CampaignResult& result, const ComparisonOptions& options = {});

}  // namespace precipice
