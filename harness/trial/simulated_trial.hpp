// The analytic queue on a virtual clock: a discrete-event simulation that ends in the same Trial as
// a measurement, through the same analysis, in milliseconds.
#pragma once

#include <atomic>

#include "harness/trial/trial.hpp"

namespace precipice {

/// Simulates the trial of model `oracle` with workload `empty`, open or closed loop, and summarises
/// it as a real one. The generator is perfect and the host still, so the gates that watch them have
/// nothing to say. In a closed loop all N requests arrive at 0, and a refused one is offered again
/// after the think time or one mean service time, whichever is longer. Throws UsageError for any
/// other model or workload, and for what oracle itself refuses; Unavailable when its requests do
/// not fit into memory; Interrupted soon after `stop`, if given, has become true. Otherwise pure;
/// thread-safe.
Trial simulate_trial(const TrialRequest& request, const std::atomic<bool>* stop = nullptr);

}  // namespace precipice
