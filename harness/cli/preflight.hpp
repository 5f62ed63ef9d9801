// A look at the machine's noise before anything is measured on it.
#pragma once

#include "harness/plan.hpp"

namespace precipice::cli {

/// Watches the plan's CPUs for 0.4 s and says on stderr which workloads cannot be resolved here.
/// Throws Unavailable when none can. Does nothing with `force` or on the virtual clock.
void look_at_noise(const Plan& plan, bool force);

}  // namespace precipice::cli
