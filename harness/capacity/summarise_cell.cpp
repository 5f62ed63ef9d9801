#include "harness/capacity/summarise_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_validity.hpp"
#include "harness/capacity/class_points.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/recovery.hpp"
#include "harness/capacity/target_limit.hpp"
#include "harness/stats/statistics.hpp"
#include "models/oracle.hpp"

namespace precipice {
namespace {

/// S at the time of a block as a multiple of S_ref: the drift that both sides of a ratio share.
double drift(const std::map<int, Calibration>& service, const CellSummary& summary, int block) {
  const auto own = service.find(block);
  if (summary.model.name == "oracle" || own == service.end()) return 1;
  return own->second.mean_ns / summary.service_time_ns;
}

/// A note that was read back from a summary has what is found out again already.
void add_note(std::string& note, const std::string& sentence) {
  if (sentence.empty() || note.find(sentence) != std::string::npos) return;
  note += (note.empty() ? "" : "; ") + sentence;
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

/// The cell's own estimate on the responses and losses of one class.
std::vector<ClassSummary> summarise_classes(const Plan& plan, const CellSummary& summary) {
  std::vector<ClassSummary> classes;
  for (std::size_t i = 0; i < plan.classes.size(); ++i) {
    const RequestClass& each = plan.classes[i];
    const double slo_ns =
        each.slo > Nanos(0) ? static_cast<double>(each.slo.count()) : summary.options.slo_ns;
    const CellResult result =
        analyse(points_of_class(summary.points, i), options_of_class(summary.options, slo_ns));
    classes.push_back({each.name, slo_ns, result.cliff});
  }
  return classes;
}

std::size_t servers_of(const Plan& plan, const CellSummary& summary) {
  return summary.model.name == "oracle" ? oracle_settings(summary.model.given).servers
                                        : plan.model_cpus.size();
}

}  // namespace

bool shows_costs(const Record& record, double cliff_per_s) {
  const TrialRequest& request = record.trial.request;
  return record.used && record.trial.stable && request.closed == 0 && !request.trigger &&
         request.rate_per_s >= cliff_per_s / 2;
}

double attempts_per_request(const Trial& trial) {
  if (!trial.attempts || trial.counts.sent == 0) return kNaN;
  return static_cast<double>(trial.attempts->begun) / static_cast<double>(trial.counts.sent);
}

double wasted_share(const Trial& trial) {
  if (!trial.attempts || trial.attempts->begun == 0) return kNaN;
  return 1 - static_cast<double>(trial.attempts->won) / static_cast<double>(trial.attempts->begun);
}

Estimate cost_per_million(const CellSummary& cell) {
  Estimate cost;
  const Estimate& cliff = cell.result.cliff;
  if (!(cell.price_per_hour > 0) || !(cliff.value > 0) || cliff.reached == Reached::unmeasured)
    return cost;
  const double per_second = cell.price_per_hour / 3600;
  const auto of = [&](double rate_per_s) { return 1e6 * per_second / rate_per_s; };
  cost = cliff;
  cost.value = of(cliff.value);
  cost.low = of(cliff.high);
  cost.high = of(cliff.low);
  cost.reached = cliff.reached == Reached::above   ? Reached::below
                 : cliff.reached == Reached::below ? Reached::above
                                                   : cliff.reached;
  return cost;
}

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
  for (const std::string& mark : marks) add_note(summary.note, mark);
  estimate_figures(plan, summary);
  summary.indicative = indicative(plan, summary);
  add_note(summary.note, broken_below_sentence(summary.result));
  if (ideal) {
    summary.ideal_saturation_per_s = ideal->saturation_per_s;
    summary.ideal_cliff_per_s = ideal->cliff_per_s;
    compare_with_ideal(service, summary);
  }
  name_limit(plan, summary);
  summary.result.recovery = recovery(summary.points, summary.result.saturation.value);
  summary.usl = fit_usl(closed_loop_sweep(summary.evidence), {.seed = plan.seed});
  summary.classes = summarise_classes(plan, summary);
  summary.price_per_hour = plan.price_per_cpu_hour * static_cast<double>(servers_of(plan, summary));
  std::vector<double> cpu, attempts, wasted;
  std::vector<Point> of_costs;
  for (const Record& record : summary.points) {
    if (!shows_costs(record, summary.result.cliff.value)) continue;
    of_costs.push_back(point_of(record));
    // What a server elsewhere used is not known.
    if (std::isfinite(record.trial.cpu_model_ns)) cpu.push_back(record.trial.cpu_model_ns);
    if (!record.trial.attempts) continue;
    attempts.push_back(attempts_per_request(record.trial));
    wasted.push_back(wasted_share(record.trial));
  }
  if (summary.options.twin)
    summary.against_twin = response_against_twin(of_costs, *summary.options.twin);
  summary.attempts_per_request = median(attempts);
  summary.wasted = median(wasted);
  summary.cpu_ns_per_request = median(cpu);
}

}  // namespace precipice
