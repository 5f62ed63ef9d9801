// How many trials a plan will take, and how long.
#pragma once

#include "harness/capacity/plan.hpp"

namespace precipice {

/// What a plan will take. An expectation from nominal service times, usually within a third; the
/// search decides how many trials there are in the end.
struct PlanEstimate {
  int cells = 0;   ///< series x workload
  int trials = 0;  ///< all phases and blocks, repeats left out
  double seconds = 0;
};
PlanEstimate estimate(const Plan& plan);

}  // namespace precipice
