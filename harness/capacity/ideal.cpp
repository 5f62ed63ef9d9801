#include "harness/capacity/ideal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_plan.hpp"
#include "harness/capacity/cell_search.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/windows.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/options.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

std::string given_or(const Spec& spec, const std::string& key, const std::string& fallback) {
  const auto found = spec.given.find(key);
  return found == spec.given.end() ? fallback : found->second;
}

struct SimulatedCell {
  Estimate cliff;
  std::set<std::uint64_t> seeds;  ///< of its refining trials
};

/// The plan's search and blocks for c servers, on the virtual clock.
SimulatedCell simulate(const Plan& plan, std::size_t servers, const std::string& dist,
                       const std::string& mean) {
  const Spec queue{"oracle",
                   {{"servers", std::to_string(servers)}, {"service", dist}, {"mean", mean}}};
  const Spec nothing{"empty", {}};
  const CellPlan cell = plan_cell(plan, queue, nothing, *reference_service(queue, nothing, {}));
  Search search(cell.search);
  SimulatedCell simulated;
  CellSummary summary;
  summary.slo_ns = cell.slo_ns;
  summary.slo_percentile = cell.slo_percentile;
  int block = 0;
  const auto measure = [&](const Probe& probe) {
    Record record;
    record.phase = probe.phase;
    record.block = block;
    try {
      record.trial = simulate_trial(request_for(plan, cell, probe, block, search.plateau_per_s()));
    } catch (const UsageError&) {  // more requests than one trial holds
      if (!has_valid_point(summary.evidence)) throw;
      return beyond_reach(probe, block);
    } catch (const Unavailable&) {  // or than memory does
      if (!has_valid_point(summary.evidence)) throw;
      return beyond_reach(probe, block);
    }
    record.used = record.trial.valid;
    if (probe.phase == Phase::refine) simulated.seeds.insert(record.trial.request.seed);
    Point point = point_of(record);
    count_trial(summary, std::move(record));
    return point;
  };
  const CellMeasurement measurement = {.measure = measure, .proceed = {}};
  search_cell(search, measurement, summary.evidence);
  for (; block < plan.blocks; ++block) measure_block(search, block, measurement, summary.evidence);
  estimate_figures(plan, summary);
  simulated.cliff = summary.result.cliff;
  return simulated;
}

/// A plan for one queue alone, with an SLO of its own.
Plan plan_of_queue(const Plan& plan, const Slo& slo) {
  Plan queue = plan;
  queue.clock = ClockKind::virtual_time;
  queue.slo = slo;
  queue.workload_slo.clear();
  queue.workload_models.clear();
  queue.claims.clear();
  queue.only.clear();
  queue.budget = Nanos(0);
  queue.precision = 0;
  return queue;
}

/// The cliff of c servers as a share of c / S, for an SLO of `multiple` S. The same for every S, so
/// searched once.
double ideal_cliff_share(const Plan& plan, std::size_t servers, const std::string& dist,
                         double multiple, double percentile) {
  static std::map<std::string, double> known;
  const std::string key = fmt::format("{} {} {:.2f} {} {}", servers, dist, multiple, percentile,
                                      plan.arrivals.to_string());
  if (const auto found = known.find(key); found != known.end()) return found->second;
  Plan ideal;
  ideal.clock = ClockKind::virtual_time;
  ideal.seed = 1;
  ideal.blocks = 5;
  ideal.virtual_requests = 100'000;
  ideal.arrivals = plan.arrivals;
  ideal.slo.percentile = percentile;
  ideal.slo.times_service = multiple;
  ideal.overload.clear();
  ideal.grid.clear();
  const double share =
      simulate(ideal, servers, dist, "1ms").cliff.value / (static_cast<double>(servers) * 1000);
  return known[key] = share;
}

double ideal_cliff_of_sequences(const Plan& plan, const CellSummary& cell) {
  if (plan.clock != ClockKind::real || !only_computes(cell.workload)) return kNaN;
  // A window of 300 requests lies up to 15% off, and one of n by sqrt(300 / n) of that: below 1% it
  // is not worth simulating what 64 CPUs could carry.
  constexpr double kLuckBelowOnePercent = 300 * 15 * 15;
  const double window_s =
      std::chrono::duration<double>(resolve_window(plan.window, cell.service_time_ns)).count();
  const double requests =
      static_cast<double>(plan.model_cpus.size()) * 1e9 / cell.service_time_ns * window_s;
  if (requests > kLuckBelowOnePercent) return kNaN;
  int blocks = 1;
  for (const Point& point : cell.evidence) blocks = std::max(blocks, point.block + 1);
  Plan ideal = plan_of_queue(plan, {.percentile = plan.slo_of(cell.workload).percentile,
                                    .times_service = 0,
                                    .bound = Nanos(static_cast<std::int64_t>(cell.slo_ns)),
                                    .text = {}});
  ideal.virtual_requests = 0;
  ideal.warmup = resolve_warmup(plan, cell.service_time_ns);
  ideal.blocks = blocks;
  const SimulatedCell played =
      simulate(ideal, plan.model_cpus.size(), given_or(cell.workload, "dist", "fixed"),
               exact_duration(Nanos(static_cast<std::int64_t>(cell.service_time_ns))));
  std::set<std::uint64_t> seeds;
  for (const Record& record : cell.points) {
    if (record.used && record.phase == Phase::refine) seeds.insert(record.trial.request.seed);
  }
  const bool same = !seeds.empty() && std::includes(played.seeds.begin(), played.seeds.end(),
                                                    seeds.begin(), seeds.end());
  return same && played.cliff.reached == Reached::ok ? played.cliff.value : kNaN;
}

}  // namespace

std::optional<Ideal> ideal_of(const Plan& plan, const CellSummary& cell) {
  const Spec &model = cell.model, &workload = cell.workload;
  const double service_ns = cell.service_time_ns;
  if (service_ns <= 0 || !has_valid_point(cell.evidence)) return std::nullopt;
  std::size_t servers = plan.model_cpus.size();
  std::string dist = given_or(workload, "dist", "fixed");
  if (model.name == "oracle") {
    if (given_or(model, "discipline", "fcfs") != "fcfs" || model.given.contains("queue"))
      return std::nullopt;
    servers = std::stoul(given_or(model, "servers", "1"));
    dist = given_or(model, "service", "fixed");
  } else if (!only_computes(workload)) {
    return std::nullopt;
  }
  Ideal ideal;
  ideal.saturation_per_s = static_cast<double>(servers) * 1e9 / service_ns;
  // For the oracle itself the ideal cliff is what is being measured.
  if (model.name != "oracle") {
    ideal.cliff_per_s =
        ideal.saturation_per_s * ideal_cliff_share(plan, servers, dist, cell.slo_ns / service_ns,
                                                   plan.slo_of(workload).percentile);
    if (ideal.cliff_per_s > 0)
      ideal.cliff_of_sequences_per_s = ideal_cliff_of_sequences(plan, cell);
  }
  return ideal;
}

}  // namespace precipice
