// A look at the machine's noise before anything is measured on it.
#pragma once

#include "harness/capacity/plan.hpp"
#include "harness/host/cpu_choice.hpp"

namespace precipice::cli {

/// On stderr, a line each: the CPUs that the model does not get, and what doctor knows of these
/// CPUs that would change a number (remarks_at_start). Nothing on the virtual clock.
void say_at_start(const CpuChoice& cpus, ClockKind clock);

/// Watches the plan's CPUs for up to 2 s and says on stderr which workloads cannot be resolved
/// here, and how many trials would be lost to what. Unless the user has set the window, shortens it
/// where noise makes a shorter one tell more. Does nothing with `force` or on the virtual clock.
void look_at_noise(Plan& plan, bool force, bool own_window);

}  // namespace precipice::cli
