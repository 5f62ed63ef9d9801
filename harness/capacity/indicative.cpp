#include "harness/capacity/indicative.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_validity.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/record.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/failed_gates.hpp"

namespace precipice {
namespace {

std::string cpus_text(const CpuSet& cpus) {
  return cpus.empty()
             ? ""
             : fmt::format(" on CPU{} {}", cpus.list().size() == 1 ? "" : "s", cpus.to_string());
}

/// What disturbed a trial and where, in a few words. The gate of a neighbour names the side.
std::string disturbance(const InvalidReason& reason, const TrialRequest& request) {
  switch (reason.gate) {
    case TrialGate::neighbour:
      return "neighbour" + cpus_text(reason.text.find("model's") != std::string::npos
                                         ? request.model_cpus
                                         : request.generator_cpus);
    case TrialGate::stall:
      return "stalls of the host";
    case TrialGate::steal:
      return "time stolen by the hypervisor";
    default:
      return "arrivals that the host delayed";
  }
}

Estimate without_interval(Estimate estimate) {
  estimate.low = estimate.high = kNaN;
  return estimate;
}

std::string remedy(TrialGate gate) {
  switch (gate) {
    case TrialGate::neighbour:
      return "stop what else runs on these CPUs (top shows it), or name quieter ones with "
             "--generator-cpus and --model-cpus";
    case TrialGate::steal:
      return "use a machine with dedicated CPUs";
    case TrialGate::throttling:
      return "raise the CPU quota of the container";
    case TrialGate::stall:
    case TrialGate::self_lag:
    case TrialGate::self_lag_max:
      return "measure longer requests or a wider SLO, or use a quieter machine";
    default:
      return "see precipice doctor";
  }
}

}  // namespace

Indicative indicative(const Plan& plan, const CellSummary& summary) {
  Indicative result;
  const CellResult& valid = summary.result;
  const bool no_cliff = valid.cliff.reached == Reached::unmeasured;
  const bool no_saturation = valid.saturation.reached == Reached::unmeasured;
  if (!no_cliff && !no_saturation) return result;
  std::map<std::string, int> causes;
  for (const Record& record : summary.points) {
    if (record.trial.model_fault) return {};
    if (record.used || !disturbed_by_host(record.trial)) continue;
    ++result.disturbed;
    // A stall beside a neighbour is the lesser part: one cause for each trial.
    const auto& reasons = record.trial.invalid_reasons;
    const auto neighbour = std::find_if(
        reasons.begin(), reasons.end(),
        [](const InvalidReason& reason) { return reason.gate == TrialGate::neighbour; });
    ++causes[disturbance(neighbour == reasons.end() ? reasons.front() : *neighbour,
                         record.trial.request)];
  }
  if (causes.empty()) return result;
  result.cause = std::max_element(causes.begin(), causes.end(), [](const auto& a, const auto& b) {
                   return a.second < b.second;
                 })->first;
  std::vector<Point> points = summary.evidence;
  for (Point& point : points) point.valid = point.valid || point.disturbed;
  CliffOptions options = cliff_options(plan, summary);
  options.bootstrap = 10;  // its interval is not shown
  const CellResult all = ordered_for_display(analyse(points, options));
  if (no_cliff) result.cliff = without_interval(all.cliff);
  if (no_saturation) result.saturation = without_interval(all.saturation);
  return result;
}

std::string why_indicative(const Indicative& indicative) {
  const bool neighbour = indicative.cause.starts_with("neighbour");
  return fmt::format("{}; {} a model look worse, never better", indicative.cause,
                     neighbour ? "a neighbour makes" : "that makes");
}

std::string nothing_valid(const CampaignResult& result) {
  std::vector<const Record*> trials;
  for (const CellSummary& cell : result.cells) {
    for (const Record& record : cell.points) {
      if (record.used) return "";
      trials.push_back(&record);
    }
  }
  if (trials.empty()) return "";
  const CommonestGate why = commonest_gate(trials);
  std::string text = fmt::format("Nothing was measured: none of {} trials is valid", trials.size());
  if (why.trials > 0) {
    text += fmt::format(", most often ({}) because of the {} ({}: {})", why.trials,
                        to_string(why.cause), to_string(why.gate), why.text);
  }
  text += fmt::format(". To measure: {}; then run the same command again.", remedy(why.gate));
  const bool shown = std::any_of(result.cells.begin(), result.cells.end(),
                                 [](const CellSummary& cell) { return cell.indicative.any(); });
  if (shown) text += " What is shown with ~ is indicative.";
  return text;
}

}  // namespace precipice
