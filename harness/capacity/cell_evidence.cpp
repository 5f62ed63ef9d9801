#include "harness/capacity/cell_evidence.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "harness/capacity/cell_twin.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/trial/failed_gates.hpp"

namespace precipice {

CliffOptions cliff_options(const Plan& plan, const CellSummary& summary) {
  CliffOptions options;
  options.slo_ns = summary.slo_ns;
  options.slo_percentile = summary.slo_percentile;
  options.seed = plan.seed;
  Nanos window{0};  // of the refining trials; those of the coarse search are shorter
  for (const Record& record : summary.points) {
    window = std::max(window, record.trial.request.window);
  }
  options.window_s = std::chrono::duration<double>(window).count();
  // With it go the replays that it keeps.
  options.twin = summary.options.twin
                     ? summary.options.twin
                     : twin_of(plan, summary.model, summary.workload, summary.service_time_ns);
  return options;
}

void count_trial(CellSummary& summary, Record&& record) {
  const Trial& trial = record.trial;
  ++summary.trials;
  if (!record.used) {
    ++summary.invalid;
    std::set<std::string> causes;
    for (const InvalidReason& reason : trial.invalid_reasons)
      causes.emplace(to_string(reason.cause));
    for (const std::string& cause : causes) ++summary.invalid_causes[cause];
  }
  if (trial.model_fault) {
    summary.failure =
        trial.invalid_reasons.empty() ? "model fault" : trial.invalid_reasons.front().text;
  }
  if (!trial.note.empty()) summary.note = trial.note;
  record.trial.slices.clear();
  record.trial.response_histogram = Histogram();
  summary.points.push_back(std::move(record));
}

Point point_of(const Trial& trial, Phase phase, int block) {
  Point point;
  point.phase = phase;
  point.block = block;
  point.closed = trial.request.closed;
  point.rate_per_s = trial.request.rate_per_s;
  point.offered_per_s = trial.offered_per_s;
  point.goodput_per_s = trial.goodput_per_s;
  point.slo_percentile_ns = static_cast<double>(trial.slo_percentile_ns);
  point.mean_response_ns = trial.response.mean;
  point.scatter = trial.response_scatter;
  point.loss = trial.loss();
  point.requests = trial.counts.scheduled;
  point.seed = trial.request.seed;
  point.warmup = trial.request.warmup;
  point.window = trial.request.window;
  point.stable = trial.stable;
  point.valid = trial.valid;
  point.responses = std::make_shared<const Histogram>(trial.response_histogram.compacted());
  return point;
}

Point point_of(const Record& record) {
  Point point = point_of(record.trial, record.phase, record.block);
  // A trial that something happens in says nothing of the rate as such.
  point.valid = record.used && !record.trial.request.trigger;
  point.generator_limited = record.generator_limited;
  point.disturbed = disturbed_by_host(record.trial);
  return point;
}

void estimate_figures(const Plan& plan, CellSummary& summary) {
  summary.options = cliff_options(plan, summary);
  summary.result = ordered_for_display(analyse(summary.evidence, summary.options));
}

}  // namespace precipice
