#include "harness/capacity/ideal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_plan.hpp"
#include "harness/capacity/cell_search.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/options.hpp"
#include "models/oracle.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

std::string given_or(const Spec& spec, const std::string& key, const std::string& fallback) {
  const auto found = spec.given.find(key);
  return found == spec.given.end() ? fallback : found->second;
}

/// The cliff by the plan's search and blocks for c servers, on the virtual clock.
Estimate simulate(const Plan& plan, std::size_t servers, const std::string& dist,
                  const std::string& mean) {
  const Spec queue{"oracle",
                   {{"servers", std::to_string(servers)}, {"service", dist}, {"mean", mean}}};
  const Spec nothing{"empty", {}};
  const CellPlan cell = plan_cell(plan, queue, nothing, *reference_service(queue, nothing, {}));
  Search search(cell.search);
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
    Point point = point_of(record);
    count_trial(summary, std::move(record));
    return point;
  };
  const CellMeasurement measurement = {.measure = measure, .proceed = {}};
  search_cell(search, measurement, summary.evidence);
  for (; block < plan.blocks; ++block) measure_block(search, block, measurement, summary.evidence);
  estimate_figures(plan, summary);
  return summary.result.cliff;
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
      simulate(ideal, servers, dist, "1ms").value / (static_cast<double>(servers) * 1000);
  return known[key] = share;
}

}  // namespace

std::optional<Ideal> ideal_of(const Plan& plan, const CellSummary& cell) {
  const Spec &model = cell.model, &workload = cell.workload;
  const double service_ns = cell.service_time_ns;
  if (service_ns <= 0 || !has_valid_point(cell.evidence)) return std::nullopt;
  std::size_t servers = plan.model_cpus.size();
  std::string dist = given_or(workload, "dist", "fixed");
  if (model.name == "oracle") {
    const bool other = given_or(model, "discipline", "fcfs") != "fcfs" ||
                       model.given.contains("queue") || oracle_settings(model.given).staged();
    if (other) return std::nullopt;
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
  }
  return ideal;
}

}  // namespace precipice
