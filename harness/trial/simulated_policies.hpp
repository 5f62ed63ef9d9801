// A trial of policies on the virtual clock: event by event, over the servers of the oracle.
#pragma once

#include <atomic>

#include "harness/trial/trial.hpp"

namespace precipice {

/// As simulate_trial, for a request with policies. With one that passes every request through, its
/// stamps are those of simulate_trial.
Trial simulate_policies(const TrialRequest& request, const std::atomic<bool>* stop);

}  // namespace precipice
