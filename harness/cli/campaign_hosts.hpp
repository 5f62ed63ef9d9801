// What a campaign runs on from the command line: trials on the real or the virtual clock, progress
// on a terminal, signals, and for `run` the journal.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/record.hpp"
#include "harness/report/capacity_so_far.hpp"
#include "harness/report/terminal.hpp"
#include "harness/store/run_store.hpp"

namespace precipice {

class TargetRunner;
class TrialRunner;

/// One trial on the clock that it asks for, or of its target; a runner is made when the first trial
/// of its kind is wanted.
class TrialSource {
 public:
  TrialSource();
  ~TrialSource();
  /// Throws Interrupted when the user cut it short: such a trial must not be kept.
  Trial measure(const TrialRequest& request);
  Calibration calibrate(const Spec& workload, const CpuSet& model_cpus);
  Calibration calibrate_target(const Target& target, const CpuSet& generator_cpus);
  /// Of trials of targets, and of models over HTTP.
  TargetRunner& target_runner();

 private:
  TrialRunner& runner();
  Trial served(const TrialRequest& request);
  std::unique_ptr<TrialRunner> runner_;
  std::unique_ptr<TargetRunner> target_runner_;
};

/// Keeps nothing beyond the result: for `capacity`.
class InMemoryHost : public CampaignHost {
 public:
  explicit InMemoryHost(Terminal& terminal) : terminal_(terminal) {}
  Trial measure(const TrialRequest& request) override;
  Calibration calibrate(const Spec& workload, const CpuSet& model_cpus) override;
  Calibration calibrate_target(const Target& target, const CpuSet& generator_cpus) override;
  std::optional<Record> find(const std::string&) override { return std::nullopt; }
  std::optional<CalibrationRecord> find_calibration(const std::string&) override {
    return std::nullopt;
  }
  void keep(const Record& record) override { so_far_.take(record); }
  void keep(const CalibrationRecord&) override {}
  void progress(const Progress& progress) override;
  void cell_finished(const Progress& progress, const std::string& line) override;
  bool stop_requested() override;

 protected:
  CapacitySoFar so_far_;

 private:
  Terminal& terminal_;
  TrialSource source_;
};

/// Keeps everything in a run's journal, and answers from it what an earlier start has measured.
class JournallingHost : public InMemoryHost {
 public:
  JournallingHost(Terminal& terminal, Store& store) : InMemoryHost(terminal), store_(store) {}
  /// A trial that has killed several starts of the run is not tried again: it counts as a fault of
  /// the model, a calibration as Unavailable.
  Trial measure(const TrialRequest& request) override;
  Calibration calibrate(const Spec& workload, const CpuSet& model_cpus) override;
  Calibration calibrate_target(const Target& target, const CpuSet& generator_cpus) override;
  std::optional<Record> find(const std::string& key) override;
  std::optional<CalibrationRecord> find_calibration(const std::string& key) override;
  void keep(const Record& record) override;
  void keep(const CalibrationRecord& record) override { store_.keep(record); }

 private:
  template <class Measure>
  Calibration calibrate_once(Measure measure);

  Store& store_;
  std::string wanted_;  ///< what the journal did not have, so it is measured next
};

}  // namespace precipice
