// What a cell is held against: its SLO, its warm-up, and the ideal that its CPUs allow.
#pragma once

#include <limits>
#include <optional>
#include <set>

#include "harness/campaign.hpp"
#include "harness/plan.hpp"

namespace precipice {

/// True when a request of this workload does nothing but compute (`mixed` with io_share=0
/// included).
bool only_computes(const Spec& workload);

/// The SLO in nanoseconds: the user's bound, times S where it is a multiple, else the default for
/// the kind of work: 10 S for computing whose unloaded p99 is within 5 S, twice the unloaded p99 on
/// `inline` otherwise.
double resolve_slo_ns(const Slo& slo, const Spec& model, const Spec& workload,
                      const Calibration& service);

/// max(0.3 s, 100 S); brief: max(0.2 s, 20 S). The plan's own where it names one.
Nanos resolve_warmup(const Plan& plan, double service_ns);

/// Where c CPUs without any overhead would be: saturation c / S, and the cliff of one queue before
/// c servers with the workload's own distribution, found on the virtual clock by the same search.
/// Only for work that never waits, and for the oracle with one fcfs queue; nullopt otherwise.
struct Ideal {
  double saturation_per_s = 0;
  double cliff_per_s = std::numeric_limits<double>::quiet_NaN();
};
std::optional<Ideal> ideal_of(const Plan& plan, const Spec& model, const Spec& workload,
                              double service_ns, double slo_ns);

/// The cliff of the same queue when it plays the very sequences of arrivals that the cell was
/// measured with: a few hundred requests a trial can lie 15% off together, and a model and its
/// ideal then do so alike (common random numbers; Law and Kelton, Simulation Modeling and
/// Analysis, 11.2). `seeds` are those of the cell's refining trials. nullopt where they are not the
/// plan's, as in runs of earlier versions, or where the queue's cliff is not among the rates.
std::optional<double> ideal_cliff_of_sequences(const Plan& plan, const Spec& workload,
                                               double service_ns, double slo_ns, int blocks,
                                               const std::set<std::uint64_t>& seeds);

}  // namespace precipice
