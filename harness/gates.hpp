// The rules that decide whether a trial counts, as pure functions over what was observed.
#pragma once

#include <optional>

#include "harness/backend.hpp"
#include "harness/host_watch.hpp"
#include "harness/observation.hpp"
#include "harness/trial.hpp"

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
  std::optional<BackendReport> backend;
};

/// Appends a reason for every gate that fails and sets little_error and valid.
void apply_gates(const GateInput& input, Trial& trial);

}  // namespace precipice
