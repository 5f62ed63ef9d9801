// What a campaign found: a row for each series on each workload.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/twin_response.hpp"
#include "harness/capacity/usl.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// What disturbed trials show of a figure that no valid trial shows. It enters no result,
/// comparison or claim, and has no interval: how far the host lowered it is not known.
struct Indicative {
  Estimate cliff, saturation;  ///< unmeasured where there is a valid figure
  int disturbed = 0;           ///< trials that only the host disturbed
  std::string cause;           ///< "neighbour on CPU 1"; the commonest
  bool any() const {
    return cliff.reached != Reached::unmeasured || saturation.reached != Reached::unmeasured;
  }
};

/// The cliff of one class of requests, under its own SLO, by the offered load of all.
struct ClassSummary {
  std::string name;
  double slo_ns = 0;
  Estimate cliff;
};

/// One row of the summary: a series on a workload.
struct CellSummary {
  Spec model, workload;
  CellResult result;
  UslFit usl;  ///< of the closed-loop sweep
  double slo_ns = 0, slo_percentile = 99;
  double service_time_ns = 0;  ///< S_ref
  double service_time_cpu_ns = 0;
  double ideal_saturation_per_s = 0,
         ideal_cliff_per_s = 0;                  ///< NaN when the work has no closed ideal here
  Estimate saturation_of_ideal, cliff_of_ideal;  ///< by block against S_block
  double cpu_ns_per_request =
      std::numeric_limits<double>::quiet_NaN();  ///< model CPUs, median over stable points above
                                                 ///< half the cliff
  /// Of a series with policies, over the same points: attempts begun for each request, and the
  /// share of them that did not end one.
  double attempts_per_request = std::numeric_limits<double>::quiet_NaN(),
         wasted = std::numeric_limits<double>::quiet_NaN();
  TwinResponse against_twin;  ///< of work that only computes
  std::vector<ClassSummary> classes;
  double price_per_hour = 0;  ///< of the CPUs that it runs on; 0: not known
  int trials = 0, invalid = 0;
  std::map<std::string, int> invalid_causes;
  /// Of a target: what kept the figures from being higher, "server", "connections", "client",
  /// "listen_overflows" or "max_rate"; else "".
  std::string limit;
  std::string note, failure;  ///< failure: why the cell could not be measured, or ""
  /// The failure is that this machine lacks something; without a failure, a load was out of its
  /// reach for that reason, which bounds the search.
  bool lacking = false;
  Indicative indicative;
  std::vector<Record> points;  ///< histograms dropped
  /// One point per probe, invalid ones included: what `result` was made from by analyse(evidence,
  /// options). A comparison or a claim analyses subsets of its blocks.
  std::vector<Point> evidence;
  CliffOptions options;
};

/// What a million requests cost at the cliff; unmeasured without a price or a cliff.
Estimate cost_per_million(const CellSummary& cell);

struct CampaignResult {
  std::vector<CellSummary> cells;
  std::map<std::string, Calibration> service;  ///< S_ref by workload, or target: see service_key
  /// S_block by the same and block, with the machine-speed probe (speed_ns) taken beside it.
  std::map<std::string, std::map<int, Calibration>> service_by_block;
  int blocks_done = 0;
  bool interrupted = false;
  bool out_of_budget = false;  ///< stopped between cells because the plan's budget was spent
};

}  // namespace precipice
