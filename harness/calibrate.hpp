// S: what a request of a workload takes when nothing competes with it.
#pragma once

#include "harness/campaign.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// Times a prepared workload on `inline` on the calling thread: the same seeds three times over, of
/// each seed the middle time, so that a stall of the host does not enter; `mean_ns` is the
/// workload's mean whatever the seeds drew. About 0.3 s. Throws Unavailable when a request fails.
Calibration calibrate_service(Workload& workload);

}  // namespace precipice
