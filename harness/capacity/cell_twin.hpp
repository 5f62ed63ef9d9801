// Which twin a cell has.
#pragma once

#include <memory>

#include "harness/capacity/plan.hpp"
#include "harness/capacity/twin.hpp"

namespace precipice {

/// The M/G/c queue that `ideal` means, with S_ref, for work that only computes; null for other work
/// and for arrivals that do not scale with the rate. The oracle has none, since it is what is
/// measured, unless the plan's `oracle_twin` says how badly its service is known.
std::shared_ptr<const Twin> twin_of(const Plan& plan, const Spec& model, const Spec& workload,
                                    double service_ns);

}  // namespace precipice
