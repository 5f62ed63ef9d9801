// S: what a request of a workload takes when nothing competes with it.
#pragma once

#include <atomic>

#include "workloads/workload.hpp"

namespace precipice {

/// Service time of a workload on `inline`, unloaded.
struct Calibration {
  double mean_ns = 0, p99_ns = 0;
  double speed_ns = 0;  ///< of the machine-speed probe taken with it
  bool valid = false;   ///< false: a CPU quota throttled every attempt at it
};

/// Times a prepared workload on `inline` on the calling thread: the same seeds three times over, of
/// each seed the middle time, so that a stall of the host does not enter; `mean_ns` is the
/// workload's mean whatever the seeds drew. About 0.3 s, or 120 requests where they are longer than
/// 2.5 ms. Throws Unavailable when a request fails, and Interrupted soon after `stop`, if given,
/// has become true: a wait ends early then, a computation does not.
Calibration calibrate_service(Workload& workload, const std::atomic<bool>* stop = nullptr);

}  // namespace precipice
