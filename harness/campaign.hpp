// Runs a plan: calibrates, searches each cell, measures blocks in random order, repeats invalid
// trials. The only place that knows the order of things. Where results go and how trials are made
// is handed in, so that the same campaign runs on the real and the virtual clock, into a journal or
// into memory.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/cliff.hpp"
#include "harness/plan.hpp"
#include "harness/search.hpp"
#include "harness/trial.hpp"
#include "harness/usl.hpp"

namespace precipice {

/// Service time of a workload on `inline`, unloaded.
struct Calibration {
  double mean_ns = 0, p99_ns = 0;
  double speed_ns = 0;  ///< of the machine-speed probe taken with it
  bool valid = false;   ///< false: a CPU quota throttled every attempt at it
};

/// One finished trial as the journal keeps it. `key` names what was measured and never repeats
/// within a run.
struct Record {
  std::string key;  ///< series | workload | phase | block | probe | attempt
  std::string series, workload;
  Phase phase = Phase::refine;
  int block = 0;
  int attempt = 1;
  bool used = false;               ///< valid, so it enters results
  bool generator_limited = false;  ///< invalid because the generator cannot offer this rate
  double slo_ns = 0;
  double at_s = 0;  ///< when it ended, seconds of the Unix epoch; filled in by the store
  Trial trial;
};

struct CalibrationRecord {
  std::string key;  ///< workload | block
  std::string workload;
  int block = 0;
  Calibration calibration;
};

/// What a campaign needs of the outside. A store answers `find` from an earlier, interrupted run.
class CampaignHost {
 public:
  virtual ~CampaignHost() = default;
  virtual Trial measure(const TrialRequest& request) = 0;
  /// S of a workload on `inline`; see TrialRunner::calibrate. Not called on the virtual clock.
  virtual Calibration calibrate(const Spec& workload, const CpuSet& model_cpus) = 0;
  virtual std::optional<Record> find(const std::string& key) = 0;
  virtual std::optional<CalibrationRecord> find_calibration(const std::string& key) = 0;
  virtual void keep(const Record& record) = 0;
  virtual void keep(const CalibrationRecord& record) = 0;
  /// Before each trial; cell i of n (a cell is series x workload x block, coarse search included in
  /// block 0).
  struct Progress {
    int cell = 0, cells = 0;
    std::string series, workload;
    Phase phase = Phase::refine;
    double rate_per_s = 0;
    std::uint64_t closed = 0;
    double elapsed_s = 0, left_s = 0;
    const Trial* last = nullptr;
  };
  virtual void progress(const Progress&) {}
  virtual void cell_finished(const Progress&, const std::string& line) { (void)line; }
  virtual bool stop_requested() { return false; }
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
  int trials = 0, invalid = 0;
  std::map<std::string, int> invalid_causes;
  std::string note, failure;  ///< failure: why the cell could not be measured, or ""
  /// The failure is that this machine lacks something; without a failure, a load was out of its
  /// reach for that reason, which bounds the search.
  bool lacking = false;
  std::vector<Record> points;  ///< histograms dropped
  /// One point per probe, invalid ones included: what `result` was made from by analyse(evidence,
  /// options). A comparison or a claim analyses subsets of its blocks.
  std::vector<Point> evidence;
  CliffOptions options;
};

struct CampaignResult {
  std::vector<CellSummary> cells;
  std::map<std::string, Calibration> service;  ///< S_ref by workload
  /// S_block by workload and block, with the machine-speed probe (speed_ns) taken beside it.
  std::map<std::string, std::map<int, Calibration>> service_by_block;
  int blocks_done = 0;
  bool interrupted = false;
  bool out_of_budget = false;  ///< stopped between cells because the plan's budget was spent
};

CampaignResult run_campaign(const Plan& plan, CampaignHost& host);

}  // namespace precipice
