// What a window and a drain have to hold for a trial to show the work: refused where a user names
// less, made longer where a default is less.
#pragma once

#include <string>

#include "harness/capacity/plan.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// The mean time of a request with nothing in its way, as its options name it; what a window has to
/// hold at the least. 0 for a target, of which nothing is known.
Nanos nominal_service(const Spec& model, const Spec& workload);
/// The longest that one request takes with nothing in its way: of what its seeds draw, or of the
/// oracle's service as far as it is drawn in practice. A drain has to wait for it.
Nanos longest_service(const Spec& model, const Spec& workload);
/// A drain of at least twice longest_service.
Nanos resolve_drain(Nanos drain, const Spec& model, const Spec& workload);
/// A window of at least ten times S: a closed loop whose requests end together is then counted to
/// within a tenth.
Nanos resolve_window(Nanos window, double service_ns);

/// The window of a cell of the plan, see Plan::requests: `servers` / S is what its CPUs carry; 0:
/// not known, as of work that waits.
Nanos cell_window(const Plan& plan, double service_ns, double slo_ns, std::size_t servers);

/// Why nothing can be measured in windows (or after a drain) of this length: the first cell of the
/// plan whose request takes longer, or with `of_arrivals` the cycle of bursts that is longer. "" if
/// it holds them all.
std::string why_too_short(const Plan& plan, Nanos length, bool of_arrivals);

/// A window that is sized by requests has up to this many times as many where the service varies.
inline constexpr double kMostForScatter = 4;
/// Why a trial cannot last for a cycle of the plan's bursts, as it has to: the first oracle that
/// would be offered more in one than a trial keeps, or whose windows, where they are sized by
/// requests, are all shorter. "" if there is none.
std::string why_cycle_too_long(const Plan& plan);

}  // namespace precipice
