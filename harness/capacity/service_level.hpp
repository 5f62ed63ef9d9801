// What a cell is held against: its S, its SLO and its warm-up.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/capacity/plan.hpp"
#include "harness/trial/calibration.hpp"

namespace precipice {

/// The workload of targets, of which nothing is known beforehand.
inline bool of_target(const Spec& workload) { return workload.name == kTargetWorkload; }
/// By what S is kept: the workload's text, or where that is of_target the target's series.
std::string service_key(const Spec& model, const Spec& workload);

/// True when a request of this workload does nothing but compute (`mixed` with io_share=0
/// included).
bool only_computes(const Spec& workload);

/// S_ref of a cell: of its workload on `inline`, or the oracle's own mean. nullopt when the
/// workload was not calibrated.
std::optional<Calibration> reference_service(const Spec& model, const Spec& workload,
                                             const std::map<std::string, Calibration>& service);

/// The SLO in nanoseconds: the user's bound, times S where it is a multiple, else the default for
/// the kind of work: 10 S for computing whose unloaded p99 is within 5 S, twice the unloaded p99 on
/// `inline` otherwise.
double resolve_slo_ns(const Slo& slo, const Spec& model, const Spec& workload,
                      const Calibration& service);

/// The plan's warm-up where it names one; else 2,000 S on the virtual clock, and on the real clock
/// max(0.3 s, 100 S), or max(0.2 s, 20 S) for a brief plan.
Nanos resolve_warmup(const Plan& plan, double service_ns);

}  // namespace precipice
