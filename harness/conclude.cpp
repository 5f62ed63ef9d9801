#include "harness/conclude.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "harness/cell_verdict.hpp"
#include "harness/recovery.hpp"
#include "harness/service_level.hpp"
#include "harness/statistics.hpp"
#include "models/model.hpp"

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

/// Each block against its own S: what repeats on a machine whose speed drifts.
void compare_with_ideal(const Plan& plan, const std::map<int, Calibration>& service,
                        CellSummary& summary) {
  std::vector<Point> relative;
  std::set<int> blocks;
  for (Point point : summary.evidence) {
    blocks.insert(point.block);
    point.goodput_per_s *= drift(service, summary, point.block) / summary.ideal_saturation_per_s;
    relative.push_back(std::move(point));
  }
  summary.saturation_of_ideal = analyse(relative, summary.options).saturation;
  if (!(summary.ideal_cliff_per_s > 0)) return;
  double mean_drift = 0;
  for (const int block : blocks) {
    mean_drift += drift(service, summary, block) / static_cast<double>(blocks.size());
  }
  std::set<std::uint64_t> seeds;
  for (const Record& record : summary.points) {
    if (record.used && record.phase == Phase::refine) seeds.insert(record.trial.request.seed);
  }
  const double ideal =
      ideal_cliff_of_sequences(plan, summary.workload, summary.service_time_ns, summary.slo_ns,
                               blocks.empty() ? 1 : *blocks.rbegin() + 1, seeds)
          .value_or(summary.ideal_cliff_per_s);
  const double scale = mean_drift / ideal;
  summary.cliff_of_ideal = summary.result.cliff;
  for (double* part :
       {&summary.cliff_of_ideal.value, &summary.cliff_of_ideal.low, &summary.cliff_of_ideal.high}) {
    *part *= scale;
  }
}

CliffOptions options_of(const Plan& plan, const CellSummary& summary) {
  CliffOptions options;
  options.slo_ns = summary.slo_ns;
  options.slo_percentile = summary.slo_percentile;
  options.seed = plan.seed;
  Nanos window{0};  // of the refining trials; those of the coarse search are shorter
  for (const Record& record : summary.points) {
    window = std::max(window, record.trial.request.window);
  }
  options.window_s = std::chrono::duration<double>(window).count();
  return options;
}

}  // namespace

std::optional<Calibration> reference_service(const Spec& model, const Spec& workload,
                                             const std::map<std::string, Calibration>& service) {
  if (model.name == "oracle") {
    const ModelInfo& info = model_named("oracle");
    const Options options(info.name, info.options, model.given);
    const auto mean_ns = static_cast<double>(options.duration("mean").count());
    return Calibration{.mean_ns = mean_ns, .p99_ns = mean_ns, .valid = true};
  }
  const auto found = service.find(workload.to_string());
  if (found == service.end()) return std::nullopt;
  return found->second;
}

void count_trial(CellSummary& summary, Record&& record) {
  const Trial& trial = record.trial;
  ++summary.trials;
  if (!record.used) {
    ++summary.invalid;
    std::set<std::string> causes;
    for (const InvalidReason& reason : trial.invalid_reasons) causes.insert(reason.cause);
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

Point point_of(const Record& record) {
  const Trial& trial = record.trial;
  Point point;
  point.phase = record.phase;
  point.block = record.block;
  point.closed = trial.request.closed;
  point.rate_per_s = trial.request.rate_per_s;
  point.offered_per_s = trial.offered_per_s;
  point.goodput_per_s = trial.goodput_per_s;
  point.slo_percentile_ns = static_cast<double>(trial.slo_percentile_ns);
  point.mean_response_ns = trial.response.mean;
  point.scatter = trial.response_scatter;
  point.loss = trial.loss();
  point.requests = trial.counts.scheduled;
  point.stable = trial.stable;
  point.valid = record.used;
  point.generator_limited = record.generator_limited;
  point.responses = std::make_shared<const Histogram>(trial.response_histogram.compacted());
  return point;
}

void estimate_figures(const Plan& plan, CellSummary& summary) {
  summary.options = options_of(plan, summary);
  summary.result = in_agreement(analyse(summary.evidence, summary.options));
}

void conclude(const Plan& plan, const std::map<int, Calibration>& service, CellSummary& summary) {
  const CellVerdict verdict = judge_cell(summary.points);
  if (!verdict.unmeasured.empty()) {
    summary.failure = verdict.text();
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
  if (const std::string sentence = broken_below_sentence(summary.result); !sentence.empty())
    summary.note += (summary.note.empty() ? "" : "; ") + sentence;
  if (const auto ideal = ideal_of(plan, summary.model, summary.workload, summary.service_time_ns,
                                  summary.slo_ns)) {
    summary.ideal_saturation_per_s = ideal->saturation_per_s;
    summary.ideal_cliff_per_s = ideal->cliff_per_s;
    compare_with_ideal(plan, service, summary);
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
