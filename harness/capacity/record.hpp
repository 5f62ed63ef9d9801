// What the journal keeps: a trial, or a calibration, with the key that names it.
#pragma once

#include <string>

#include "harness/capacity/point.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

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

}  // namespace precipice
