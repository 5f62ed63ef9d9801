#include "harness/trial/failed_gates.hpp"

#include <algorithm>

namespace precipice {

bool cannot_be_repeated(const Trial& trial) {
  return std::any_of(trial.invalid_reasons.begin(), trial.invalid_reasons.end(),
                     [](const InvalidReason& reason) { return reason.cause == Cause::window; });
}

bool met_quota(const Trial& trial) {
  return std::any_of(
      trial.invalid_reasons.begin(), trial.invalid_reasons.end(),
      [](const InvalidReason& reason) { return reason.gate == TrialGate::throttling; });
}

bool disturbed_by_host(const Trial& trial) {
  const auto disturbs = [](const InvalidReason& reason) {
    return reason.cause == Cause::host && reason.gate != TrialGate::throttling &&
           reason.gate != TrialGate::rt_throttling && reason.gate != TrialGate::cpus;
  };
  return !trial.valid && !trial.model_fault && !trial.invalid_reasons.empty() &&
         std::all_of(trial.invalid_reasons.begin(), trial.invalid_reasons.end(), disturbs);
}

bool cannot_offer(const Trial& trial) {
  bool unsent = false, off = false, late = false, backend = false, backend_late = false;
  bool client = false;
  for (const InvalidReason& reason : trial.invalid_reasons) {
    if (reason.cause == Cause::backend) {
      backend = backend || reason.gate == TrialGate::backend_busy;
      backend_late = backend_late || reason.gate == TrialGate::backend_lag;
      continue;
    }
    // A stall of the generator's CPU is a hiccup too, although it is the generator's.
    if (reason.cause != Cause::generator || reason.gate == TrialGate::stall) return false;
    client = client || reason.gate == TrialGate::on_time || reason.gate == TrialGate::client_cpu ||
             reason.gate == TrialGate::connections || reason.gate == TrialGate::listen_overflows;
    unsent = unsent || reason.gate == TrialGate::unsent;
    off = off || reason.gate == TrialGate::realised_rate;
    late = late || reason.gate == TrialGate::self_lag;  // of more than 1% of the requests
  }
  // Generator and backend late together: the thread, or the CPU, that they share.
  return unsent || client || (late && (off || backend_late)) || backend;
}

}  // namespace precipice
