#include "harness/capacity/summarise_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_validity.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/recovery.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

/// S at the time of a block as a multiple of S_ref: the drift that both sides of a ratio share.
double drift(const std::map<int, Calibration>& service, const CellSummary& summary, int block) {
  const auto own = service.find(block);
  if (summary.model.name == "oracle" || own == service.end()) return 1;
  return own->second.mean_ns / summary.service_time_ns;
}

std::string broken_below_sentence(const CellResult& result) {
  if (!(result.broken_from_per_s > 0)) return "";
  const std::string rates =
      result.broken_from_per_s == result.broken_to_per_s
          ? fmt::format("{:.4g}/s", result.broken_from_per_s)
          : fmt::format("{:.4g} to {:.4g}/s", result.broken_from_per_s, result.broken_to_per_s);
  return fmt::format(
      "{} break the SLO too, though higher rates keep it: the cliff is where it is "
      "broken for good",
      rates);
}

void scale(Estimate& estimate, double factor) {
  for (double* part : {&estimate.value, &estimate.low, &estimate.high}) *part *= factor;
}

/// Each block against its own S: what repeats on a machine whose speed drifts.
void compare_with_ideal(const std::map<int, Calibration>& service, CellSummary& summary) {
  std::vector<Point> relative;
  std::set<int> blocks;
  for (Point point : summary.evidence) {
    blocks.insert(point.block);
    point.goodput_per_s *= drift(service, summary, point.block);
    relative.push_back(std::move(point));
  }
  summary.saturation_of_ideal = analyse(relative, summary.options).saturation;
  scale(summary.saturation_of_ideal, 1 / summary.ideal_saturation_per_s);
  if (!(summary.ideal_cliff_per_s > 0)) return;
  double mean_drift = 0;
  for (const int block : blocks) {
    mean_drift += drift(service, summary, block) / static_cast<double>(blocks.size());
  }
  summary.cliff_of_ideal = summary.result.cliff;
  scale(summary.cliff_of_ideal, mean_drift / summary.ideal_cliff_per_s);
}

}  // namespace

void summarise_cell(const Plan& plan, const std::map<int, Calibration>& service,
                    const std::optional<Ideal>& ideal, CellSummary& summary) {
  const CellValidity verdict = cell_validity(summary.points);
  if (!verdict.unmeasured.empty()) {
    summary.failure = verdict.text();
    summary.indicative = indicative(plan, summary);
    return;
  }
  std::vector<std::string> marks = verdict.marks;
  if (std::any_of(service.begin(), service.end(),
                  [](const auto& of_block) { return !of_block.second.valid; })) {
    marks.emplace_back(
        "S was measured while the CPU quota throttled this process: it may be too long");
  }
  for (const std::string& mark : marks) {
    summary.note += (summary.note.empty() ? "" : "; ") + mark;
  }
  estimate_figures(plan, summary);
  summary.indicative = indicative(plan, summary);
  if (const std::string sentence = broken_below_sentence(summary.result); !sentence.empty())
    summary.note += (summary.note.empty() ? "" : "; ") + sentence;
  if (ideal) {
    summary.ideal_saturation_per_s = ideal->saturation_per_s;
    summary.ideal_cliff_per_s = ideal->cliff_per_s;
    compare_with_ideal(service, summary);
  }
  summary.result.recovery = recovery(summary.points, summary.result.saturation.value);
  summary.usl = fit_usl(closed_loop_sweep(summary.evidence), {.seed = plan.seed});
  std::vector<double> cpu;
  for (const Record& record : summary.points) {
    if (record.used && record.trial.stable && record.trial.request.closed == 0 &&
        record.trial.request.rate_per_s >= summary.result.cliff.value / 2) {
      cpu.push_back(record.trial.cpu_model_ns);
    }
  }
  summary.cpu_ns_per_request = median(cpu);
}

}  // namespace precipice
