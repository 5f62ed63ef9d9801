// A campaign on the virtual clock that keeps nothing but its result.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/record.hpp"
#include "harness/trial/simulated_trial.hpp"

namespace precipice::testing {

class MemoryHost : public CampaignHost {
 public:
  Trial measure(const TrialRequest& request) override {
    Trial trial = simulate_trial(request);
    if (spoil) spoil(trial);
    return trial;
  }
  Calibration calibrate(const Spec&, const CpuSet&) override { return {}; }
  std::optional<Record> find(const std::string&) override { return std::nullopt; }
  std::optional<CalibrationRecord> find_calibration(const std::string&) override {
    return std::nullopt;
  }
  void keep(const Record&) override {}
  void keep(const CalibrationRecord&) override {}

  std::function<void(Trial&)> spoil;  ///< changes what was measured
};

}  // namespace precipice::testing
