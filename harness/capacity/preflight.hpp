// Whether the noise of this machine lets a plan be measured at all.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/host/noise_floor.hpp"

namespace precipice {

/// How long `run` and `capacity` watch before they begin.
inline constexpr Nanos kPreflightWatch = std::chrono::milliseconds(400);

/// A sentence for each workload of the plan (each oracle, for `empty`) of which noise alone makes
/// more than half of the trials invalid, with the smallest S or SLO that can be resolved. S is
/// taken from the workload's options, as it is not measured yet; work that names none is left out.
/// Empty on the virtual clock.
std::vector<std::string> preflight(const Plan& plan, const NoiseFloor& floor);

/// True when there is something to measure and noise makes at least 99% of the trials of every
/// workload invalid: then a run would only repeat trials.
bool nothing_resolvable(const Plan& plan, const NoiseFloor& floor);

}  // namespace precipice
