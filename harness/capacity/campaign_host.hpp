// The outside of a campaign: trials, calibrations, the journal and the reader of its progress.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "harness/capacity/plan.hpp"
#include "harness/capacity/record.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// What a campaign needs of the outside. A store answers `find` from an earlier, interrupted run.
class CampaignHost {
 public:
  virtual ~CampaignHost() = default;
  virtual Trial measure(const TrialRequest& request) = 0;
  /// S of a workload on `inline`; see TrialRunner::calibrate. Not called on the virtual clock.
  virtual Calibration calibrate(const Spec& workload, const CpuSet& model_cpus) = 0;
  /// S of a target: of requests one after another. Called only where the plan has targets.
  virtual Calibration calibrate_target(const Target& /*target*/, const CpuSet& /*generator_cpus*/) {
    throw std::logic_error("this host measures no targets");
  }
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

}  // namespace precipice
