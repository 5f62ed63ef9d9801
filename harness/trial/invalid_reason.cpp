#include "harness/trial/invalid_reason.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace precipice {
namespace {

constexpr auto kCauses =
    std::to_array<std::string_view>({"generator", "host", "backend", "model", "window", "unknown"});
static_assert(kCauses.size() == static_cast<std::size_t>(Cause::unknown) + 1);
constexpr auto kGates = std::to_array<std::string_view>({"unsent",
                                                         "self_lag",
                                                         "self_lag_max",
                                                         "realised_rate",
                                                         "turnover",
                                                         "interrupted",
                                                         "slots",
                                                         "empty_window",
                                                         "offered_rate",
                                                         "stall",
                                                         "neighbour",
                                                         "cpus",
                                                         "rt_throttling",
                                                         "steal",
                                                         "throttling",
                                                         "backend_stopped",
                                                         "backend_lag",
                                                         "backend_busy",
                                                         "no_progress",
                                                         "digest",
                                                         "conservation",
                                                         "little",
                                                         "attempts",
                                                         "policy_lag",
                                                         "crash",
                                                         "on_time",
                                                         "client_cpu",
                                                         "connections",
                                                         "listen_overflows",
                                                         "unknown"});
static_assert(kGates.size() == static_cast<std::size_t>(TrialGate::unknown) + 1);

}  // namespace

std::string_view to_string(Cause cause) { return kCauses[static_cast<std::size_t>(cause)]; }
std::string_view to_string(TrialGate gate) { return kGates[static_cast<std::size_t>(gate)]; }

Cause cause_named(std::string_view name) {
  const auto found = std::find(kCauses.begin(), kCauses.end(), name);
  return found == kCauses.end() ? Cause::unknown : static_cast<Cause>(found - kCauses.begin());
}

TrialGate gate_named(std::string_view name) {
  const auto found = std::find(kGates.begin(), kGates.end(), name);
  return found == kGates.end() ? TrialGate::unknown
                               : static_cast<TrialGate>(found - kGates.begin());
}

}  // namespace precipice
