// Which of two runs is higher, and by how much, cell by cell. Pure functions over what analyse()
// was given. docs/comparisons.md explains the method.
#pragma once

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/pair_types.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

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
  int tests = 0;  ///< all that were made; a family of Holm's correction is one workload's figure
  std::vector<ComparedCell> cells;
  std::vector<std::string> only_a, only_b;  ///< "series workload", without a counterpart
  std::vector<std::string> remarks;         ///< of machines, binaries and suites that differ
};

RunComparison compare_runs(const RunToCompare& a, const RunToCompare& b,
                           const ComparisonOptions& options = {});

}  // namespace precipice
