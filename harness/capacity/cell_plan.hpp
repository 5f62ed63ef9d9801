// What one cell's trials are: its S, SLO and windows, and the request that each probe becomes.
#pragma once

#include "harness/capacity/plan.hpp"
#include "harness/capacity/search.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// Fixed once for a whole run. Times are nanoseconds or as their types say.
struct CellPlan {
  Spec model, workload;
  Calibration service;  ///< S_ref
  double slo_ns = 0, slo_percentile = 99;
  Nanos warmup{0}, window{0}, coarse_window{0}, drain{0};
  SearchOptions search;
};

/// `service`: S_ref of this cell, see reference_service.
CellPlan plan_cell(const Plan& plan, const Spec& model, const Spec& workload,
                   const Calibration& service);

/// The trial that a probe of a block asks for. `plateau_per_s`: of the search so far, 0 while it is
/// unknown.
TrialRequest request_for(const Plan& plan, const CellPlan& cell, const Probe& probe, int block,
                         double plateau_per_s);

}  // namespace precipice
