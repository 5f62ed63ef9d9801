// One probe of a cell, measured until it is valid or nothing more may be expected of it; answered
// from the journal where an earlier start of the run measured it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/capacity/campaign_host.hpp"
#include "harness/capacity/cell_plan.hpp"
#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/search.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// A probe that was measured.
struct MeasuredProbe {
  std::string key;  ///< of its records, without the attempt
  Probe probe;
  int block = 0;
  int attempts = 0;
  Point point;              ///< of the last attempt
  bool repeatable = false;  ///< invalid, and a repetition may be valid

  std::string key_of(int attempt) const;
};

/// A cell while a campaign measures it.
struct CampaignCell {
  CellSummary summary;
  CellPlan cell_plan;
  std::optional<Search> search;
  std::vector<MeasuredProbe> probes;  ///< in the order of their first attempts
  bool known = false;                 ///< to the plan's precision: no further block
  bool quota_shown = false;           ///< a CPU quota throttled a trial and its repetition
  bool steered = false;               ///< disturbed points steer its search: see CellMeasurement
  Nanos block_took{0};                ///< its longest one, without the search
};

class ProbeAttempts {
 public:
  /// `progress` is completed and reported before each attempt. All three outlive this.
  ProbeAttempts(const Plan& plan, CampaignHost& host, CampaignHost::Progress& progress)
      : plan_(plan), host_(host), progress_(progress), begun_(Io::now()) {}

  /// With the plan's repetitions. Throws as CampaignHost::measure.
  Point measure(CampaignCell& cell, const Probe& probe, int block);
  /// `most` attempts at most; the last one stands for the point, used or not.
  void attempt(CampaignCell& cell, MeasuredProbe& measured, int most);

  /// Whether the journal has a trial of any of them.
  bool begun(const CampaignCell& cell, const std::vector<Probe>& probes, int block);

  /// Since the campaign began.
  Nanos elapsed() const { return Io::now() - begun_; }

 private:
  static std::string key_of(const CampaignCell& cell, const Probe& probe, int block);
  static MeasuredProbe& probe_of(CampaignCell& cell, const Probe& probe, int block);
  void report_progress(const Probe& probe);

  const Plan& plan_;
  CampaignHost& host_;
  CampaignHost::Progress& progress_;
  const Time begun_;
  Trial last_;
};

}  // namespace precipice
