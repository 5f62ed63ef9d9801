// What the gates that a trial failed mean for those who wanted it.
#pragma once

#include "harness/trial/trial.hpp"

namespace precipice {

/// A repetition would show the same: the schedule itself is what cannot be measured.
bool cannot_be_repeated(const Trial& trial);

/// The load itself is too high for the generator or for the backend, as against a hiccup on the
/// way, which may pass when the trial is repeated. It bounds a search from above.
bool cannot_offer(const Trial& trial);

/// A CPU quota throttled it: it does so again at this load and above.
bool met_quota(const Trial& trial);

/// Invalid, and by gates alone with which the host disturbs what runs: other processes, stalls,
/// steal. All of these take time from the model or delay an arrival, so the trial shows a model as
/// worse than it is. A setting of the machine (a quota, a CPU that is gone) is no disturbance.
bool disturbed_by_host(const Trial& trial);

}  // namespace precipice
