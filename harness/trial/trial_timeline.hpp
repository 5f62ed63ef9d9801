// A trial in slices of time: how it fares around a trigger.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace precipice {

/// One value a slice of the window, all of equal length. Rates are per second.
struct TrialTimeline {
  static constexpr std::size_t kSlices = 50;

  double slice_s = 0;
  std::vector<double> offered_per_s;   ///< by intended arrival
  std::vector<double> goodput_per_s;   ///< by completion
  std::vector<double> lost_per_s;      ///< shed, failed or unfinished, by intended arrival
  std::vector<double> p99_ns;          ///< responses, by intended arrival; NaN: no request
  std::vector<double> attempts_per_s;  ///< of policies, by their begin; empty without any
  std::string knob;                    ///< what an adaptive policy adjusts; "": nothing
  std::vector<double> knob_values;     ///< at the end of each slice
  /// From the trigger until the last slice that broke the SLO or lost 1% had ended: 0 when none
  /// did, nullopt when the last slice of the window still does.
  std::optional<double> recovered_after_s;
};

}  // namespace precipice
