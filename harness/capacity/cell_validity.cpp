#include "harness/capacity/cell_validity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

namespace precipice {
namespace {

/// Gates that fail because of how this machine is set: what no repetition cures.
bool is_setting(TrialGate gate) {
  return gate == TrialGate::throttling || gate == TrialGate::rt_throttling;
}

/// Lowest rate (or loop) at which the backend, not the model, was at its end; "" if at none.
std::string backend_bound(std::span<const Record> trials) {
  int bounded = 0;
  double lowest = 0;
  for (const Record& record : trials) {
    const auto& reasons = record.trial.invalid_reasons;
    const bool backend = std::any_of(reasons.begin(), reasons.end(), [](const auto& reason) {
      return reason.cause == Cause::backend;
    });
    if (!backend || record.used) continue;
    ++bounded;
    const double offered = record.trial.offered_per_s;
    lowest = bounded == 1 ? offered : std::min(lowest, offered);
  }
  if (bounded == 0) return "";
  return fmt::format(
      "the backend was the bottleneck in {} trials, from {:.4g}/s on: what the model carries is at "
      "least what is shown",
      bounded, lowest);
}

/// What a setting of this machine did to trials; "" if to none.
std::string bound_of_machine(std::span<const Record> trials, TrialGate gate) {
  int bounded = 0;
  std::string_view text;
  for (const Record& record : trials) {
    for (const InvalidReason& reason : record.trial.invalid_reasons) {
      if (reason.gate != gate) continue;
      ++bounded;
      text = reason.text;
      break;
    }
  }
  if (bounded == 0) return "";
  return fmt::format("{} of {} trials are invalid because {}", bounded, trials.size(), text);
}

}  // namespace

std::string CellValidity::text() const {
  std::string result = unmeasured;
  for (const std::string& mark : marks) {
    if (!result.empty()) result += "; ";
    result += mark;
  }
  return result;
}

CommonestGate commonest_gate(std::span<const Record* const> trials) {
  std::map<std::string, CommonestGate> by_gate;
  for (const Record* record : trials) {
    std::map<std::string, const InvalidReason*> seen;
    for (const InvalidReason& reason : record->trial.invalid_reasons) {
      seen[fmt::format("{} {}", to_string(reason.cause), to_string(reason.gate))] = &reason;
    }
    for (const auto& [name, reason] : seen) {
      CommonestGate& entry = by_gate[name];
      entry = {reason->cause, reason->gate, reason->text, entry.trials + 1};
    }
  }
  CommonestGate result;
  for (auto& [name, entry] : by_gate) {
    if (entry.trials > result.trials || (entry.trials == result.trials && is_setting(entry.gate)))
      result = std::move(entry);
  }
  return result;
}

CellValidity cell_validity(std::span<const Record> trials) {
  CellValidity verdict;
  for (const Record& record : trials) {
    ++verdict.trials;
    if (!record.used) continue;
    ++verdict.used;
    if (std::isfinite(record.trial.steal_ticks)) {
      verdict.steal.ticks += record.trial.steal_ticks;
      verdict.steal.cpu_seconds += record.trial.cpu_seconds;
    }
    verdict.neighbours += record.trial.neighbours;
  }
  if (verdict.trials > 0 && verdict.used == 0) {
    std::vector<const Record*> all;
    for (const Record& record : trials) all.push_back(&record);
    const CommonestGate why = commonest_gate(all);
    verdict.unmeasured = fmt::format("none of {} trials is valid", verdict.trials);
    if (why.trials > 0) {
      verdict.unmeasured +=
          fmt::format("; most often ({} of {}) because of the {} ({}): {}", why.trials,
                      verdict.trials, to_string(why.cause), to_string(why.gate), why.text);
    }
  }
  if (verdict.steal.exceeded()) {
    verdict.marks.push_back(fmt::format(
        "the hypervisor took {:.0f} ticks in the {:.1f} CPU-seconds of its {} valid trials (at "
        "most 1 a second): its rates may be too low",
        verdict.steal.ticks, verdict.steal.cpu_seconds, verdict.used));
  }
  if (verdict.neighbours.exceeded()) {
    verdict.marks.push_back(fmt::format(
        "other processes used {:.1f}% of a CPU over its {} valid trials (at most {:.1f}%): its "
        "rates may be too low",
        100 * verdict.neighbours.took_ns / verdict.neighbours.elapsed_ns, verdict.used,
        100 * verdict.neighbours.bound_ns() / verdict.neighbours.elapsed_ns));
  }
  for (const TrialGate gate : {TrialGate::throttling, TrialGate::rt_throttling}) {
    if (std::string bound = bound_of_machine(trials, gate); !bound.empty())
      verdict.marks.push_back(std::move(bound));
  }
  if (std::string bound = backend_bound(trials); !bound.empty()) {
    verdict.marks.push_back(std::move(bound));
  }
  return verdict;
}

}  // namespace precipice
