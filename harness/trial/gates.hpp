// The rules that decide whether a trial counts, as pure functions over what was observed.
#pragma once

#include <optional>

#include "harness/host/host_watch.hpp"
#include "harness/trial/rpc_backend.hpp"
#include "harness/trial/trial.hpp"
#include "harness/trial/trial_summary.hpp"

namespace precipice {

/// What the gates need besides the trial's own numbers.
struct GateInput {
  StampTotals stamps;
  double integral_ns = 0;  ///< of the separate in-flight counter
  std::int64_t still_in_flight = 0;
  double realised_span_ns = 0;  ///< last dispatch - first dispatch
  double perfect_span_ns =
      0;  ///< the same for a perfect generator facing this model's submit times
  bool unsent_by_model = false;  ///< even a perfect generator would not have been done in time
  std::optional<HostReport> host;
  /// Where the generator was when it had offered all, if that is not where it was put.
  CpuSet generator_moved_to;
  std::optional<BackendReport> backend;
  AttemptCounts attempts_outside;      ///< of requests outside the window
  AttemptExecution attempts_executed;  ///< whenever their requests arrived
  std::uint64_t wrong_attempts = 0;    ///< of policies, with another digest than `inline` has
  std::uint64_t attempts_inside = 0;   ///< after the shutdown
  std::optional<Nanos> shortest_of_policies;  ///< the shortest time that their timers measure
  /// The requests are executed by another process: its CPU time is no neighbour's.
  bool executed_elsewhere = false;
};

/// Appends a reason for every gate that fails and sets little_error, the host's figures and valid.
///
/// Whose fault a stall is follows from who saw it: the probes of all CPUs together, or of a CPU
/// that the model runs on: host; of the generator's CPUs alone: generator. Where a stall of all
/// CPUs or a neighbour on its CPU explains why the generator was late, the host is named, since a
/// generator that was held up could very well offer the rate.
void apply_gates(const GateInput& input, Trial& trial);

/// The part of it that needs neither a clock nor a machine: conservation, attempts, Little's law
/// over both.
void apply_gates_of_counts(const GateInput& input, Trial& trial);

}  // namespace precipice
