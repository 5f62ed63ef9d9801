// Why a trial cannot be used: the causes and the gates, and their names in every file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace precipice {

/// Who is to blame.
enum class Cause : std::uint8_t {
  generator,
  host,
  backend,
  model,
  window,   ///< the schedule itself: a repetition would show the same
  unknown,  ///< of a file that a later version has written
};

/// Which rule was broken; docs/measurement.md has them with their bounds. A new gate is an
/// enumerator here, its name in invalid_reason.cpp, and the rule in gates.cpp.
enum class TrialGate : std::uint8_t {
  unsent,
  self_lag,
  self_lag_max,
  realised_rate,
  turnover,
  interrupted,
  slots,
  empty_window,
  offered_rate,
  stall,
  neighbour,
  cpus,
  rt_throttling,
  steal,
  throttling,
  backend_stopped,
  backend_lag,
  backend_busy,
  no_progress,
  digest,
  conservation,
  little,
  attempts,
  policy_lag,
  crash,
  on_time,
  client_cpu,
  connections,
  listen_overflows,
  unknown,
};

/// The enumerators' own names.
std::string_view to_string(Cause cause);
std::string_view to_string(TrialGate gate);
/// The inverse; `unknown` for any other name.
Cause cause_named(std::string_view name);
TrialGate gate_named(std::string_view name);

struct InvalidReason {
  Cause cause = Cause::generator;
  TrialGate gate = TrialGate::unknown;
  std::string text;  ///< the sentence, with its numbers and its bound
};

}  // namespace precipice
