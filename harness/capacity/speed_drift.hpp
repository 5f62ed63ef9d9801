// How much the machine's speed changed during a run, and which comparisons that touches: pure, from
// the probes that every trial and calibration starts with.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"

namespace precipice {

/// One probe of the machine's speed.
struct SpeedSample {
  std::string series, workload;  ///< of the trial; series is "" for a calibration
  int block = 0;
  bool computes = false;  ///< the workload needs the CPU for all of its service time
  double speed_ns = 0;    ///< time of a fixed piece of work: more is slower; > 0
};

/// Two series whose trials met the machine at different speeds.
struct SpeedBias {
  std::string workload, slower, faster;
  double ratio = 1;  ///< of the times, slower over faster: geometric mean over the common blocks
  int blocks = 0;
};

struct SpeedDrift {
  int samples = 0;
  double median_ns = 0, fastest_ns = 0, slowest_ns = 0;  ///< fastest and slowest of all probes
  double range = 0;           ///< 95th over 5th percentile of all probes, less 1
  double between_blocks = 0;  ///< slowest over fastest block by their medians, less 1
  double within_blocks = 0;   ///< of the worst block: 95th over 5th percentile, less 1
  int slowest_block = 0, fastest_block = 0, unsteadiest_block = 0;
  /// Comparisons inside blocks that are touched: pairs on one workload that computes, whose ratio
  /// differs from 1 by kDriftMatters or more. Worst first.
  std::vector<SpeedBias> touched;
  bool drifted() const;
  /// What to tell the reader, with numbers: how much it drifted, what that touches and what it does
  /// not. Empty where there are no probes, as on the virtual clock.
  std::vector<std::string> sentences;
};

/// A change of speed that matters. The probe itself repeats to well below it on a quiet machine.
inline constexpr double kDriftMatters = 0.02;

SpeedDrift speed_drift(std::span<const SpeedSample> samples);

/// The probes of all trials that entered results, and of the calibrations.
std::vector<SpeedSample> speed_samples(const CampaignResult& result);

}  // namespace precipice
