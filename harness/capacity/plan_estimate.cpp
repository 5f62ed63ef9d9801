#include "harness/capacity/plan_estimate.hpp"

#include <algorithm>
#include <chrono>

#include "harness/capacity/service_level.hpp"
#include "harness/capacity/windows.hpp"
#include "harness/trial/spec.hpp"
#include "workloads/workload.hpp"

namespace precipice {

PlanEstimate estimate(const Plan& plan) {
  // Set-up, draining and tearing down of one trial, the share of trials that are repeated on a
  // shared machine, and the searches' usual number of steps.
  constexpr double kTrialOverheadS = 0.12, kRepeated = 1.2;
  constexpr int kPlateauTrials = 7, kCoarseTrials = 7;
  const auto seconds = [](Nanos duration) {
    return std::chrono::duration<double>(duration).count();
  };
  const int grid_blocks = plan.brief ? std::min(plan.blocks, 1) : plan.blocks;
  const int block_trials =
      plan.blocks *
          static_cast<int>(plan.refine.size() + plan.overload.size() + plan.rates.size()) +
      grid_blocks * static_cast<int>(plan.grid.size());
  PlanEstimate total;
  for (const Spec& spec : plan.workloads) {
    const double service = seconds(nominal_service({}, spec));
    const double warmup = plan.warmup > Nanos::zero() ? seconds(plan.warmup)
                          : plan.brief                ? std::max(0.2, 20 * service)
                                                      : std::max(0.3, 100 * service);
    // The SLO is not known yet: twice the service for work that waits, as by default.
    const std::size_t cpus =
        only_computes(spec) ? std::max<std::size_t>(1, plan.model_cpus.size()) : 0;
    const double window = seconds(cell_window(plan, service * 1e9, 2e9 * service, cpus));
    const double coarse_window = seconds(resolve_window(plan.coarse_window, service * 1e9));
    for (const Spec& model : plan.models) {
      if (!plan.includes(model, spec)) continue;
      ++total.cells;
      total.trials += kPlateauTrials + kCoarseTrials + block_trials + plan.blocks - 1;
      total.seconds += (kPlateauTrials + kCoarseTrials + plan.blocks - 1) *
                       (warmup + coarse_window + kTrialOverheadS);
      total.seconds += block_trials * (warmup + window + kTrialOverheadS);
    }
    total.seconds += (plan.blocks + 1) * (warmup + window);  // S of each block
  }
  total.seconds *= kRepeated;
  if (plan.clock == ClockKind::virtual_time) total.seconds = 0.02 * total.trials;
  return total;
}

}  // namespace precipice
