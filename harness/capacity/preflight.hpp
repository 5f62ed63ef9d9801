// Whether the noise of this machine lets a plan be measured, said before it is.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/host/noise_floor.hpp"
#include "harness/trial/gate_replay.hpp"

namespace precipice {

/// How long `run` and `capacity` watch before they begin: two of the plan's longest trials, but 0.4
/// to 2 s.
Nanos preflight_watch(const Plan& plan);

/// A sentence for each workload of the plan (each oracle, for `empty`) of which noise alone makes
/// more than half of the trials invalid, with the smallest S or SLO that can be resolved. S is
/// taken from the workload's options, as it is not measured yet; work that names none is left out.
/// Empty on the virtual clock.
std::vector<std::string> preflight(const Plan& plan, const NoiseFloor& floor);

/// Where more than a third of the plan's trials would fail a gate: how many, which gates, which
/// CPUs and which processes. "" otherwise, and on the virtual clock.
std::string expected_losses(const Plan& plan, const NoiseWatch& watch);

/// A window for the plan's one workload in which more is measured in the same time: of the plan's
/// and shorter ones, that with most valid seconds of window a second, by the gates that the watch
/// would have failed. Never below what a cliff needs: 20 times the SLO, 10 S and a cycle of the
/// arrivals. The plan's own where too few trials would be lost for it to matter, where the gain is
/// below a tenth, and on the virtual clock.
Nanos window_for_noise(const Plan& plan, const NoiseWatch& watch);

}  // namespace precipice
