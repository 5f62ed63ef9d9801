// Whether a trial over sockets shows the server: what judges the client and the way to it.
#pragma once

#include "harness/trial/slots.hpp"
#include "harness/trial/trial.hpp"
#include "harness/trial/trial_summary.hpp"

namespace precipice {

/// From the slots of a summarised trial: connection_wait, on_time and the failures by kind of
/// `trial.network`, and whether the connections bound it.
void measure_network(const Recording& recording, Trial& trial);

/// Appends a reason for each that fails:
/// - on_time (open loop): fewer than 95% of the arrivals were taken up within max(50 us, 2% of the
///   SLO), the bound of the generator's own lag; below 99.9% the note says so;
/// - client_cpu: the client's busiest thread had something to do for more than 95% of the window;
/// - listen_overflows: connections found a full accept queue.
/// All of them bound a search from above: see cannot_offer.
void apply_network_gates(Trial& trial);

/// How late an arrival may be taken up: max(50 us, 2% of the SLO), ns.
double on_time_bound_ns(const TrialRequest& request);

}  // namespace precipice
