// What the trials up to now say, while a campaign is still under way: for the live view, not for
// results.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/capacity/record.hpp"

namespace precipice {

/// Takes every trial of a campaign, in any order; one that it knows already counts once. Not
/// thread-safe.
class CapacitySoFar {
 public:
  struct Series {
    std::string series;
    double holds_per_s = 0;    ///< highest offered rate that met the SLO, stable, loss <= 0.1%
    double carries_per_s = 0;  ///< highest goodput of a valid trial
    int trials = 0, invalid = 0;
  };

  void take(const Record& record);
  /// In the order in which they were first measured.
  std::vector<Series> of_workload(const std::string& workload) const;
  int trials() const { return trials_; }
  int invalid() const { return invalid_; }

 private:
  std::map<std::string, bool> seen_;  ///< by key
  std::map<std::string, std::vector<Series>> workloads_;
  int trials_ = 0, invalid_ = 0;
};

}  // namespace precipice
