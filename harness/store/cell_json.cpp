#include "harness/store/cell_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "harness/capacity/indicative.hpp"
#include "harness/capacity/record.hpp"
#include "harness/store/trial_json.hpp"

namespace precipice {

Json to_json(const Estimate& e) {
  return {{"value", number(e.value)},
          {"low", number(e.low)},
          {"high", number(e.high)},
          {"reached", to_string(e.reached)},
          {"log_deviation", number(e.log_deviation)},
          {"degrees", number(e.degrees)}};
}

Json cliff_json(const Estimate& e) {
  Json json = to_json(e);
  json["limited_by"] =
      e.limited_by == LimitedBy::none ? Json(nullptr) : Json(to_string(e.limited_by));
  json["resolution"] = number(e.resolution);
  return json;
}

Json to_json(const UslFit& fit) {
  return {{"lambda_per_s", to_json(fit.lambda_per_s)},
          {"sigma", to_json(fit.sigma)},
          {"kappa", to_json(fit.kappa)},
          {"peak_n", to_json(fit.peak_n)},
          {"peak_per_s", to_json(fit.peak_per_s)},
          {"relative_rms", number(fit.relative_rms)},
          {"distinct_n", fit.distinct_n},
          {"blocks", fit.blocks},
          {"note", fit.note}};
}

Json to_json(const SloGrid& grid) {
  if (grid.cliffs.empty()) return nullptr;
  Json json = {{"percentiles", grid.percentiles}, {"bounds_ns", grid.bounds_ns}};
  Json& all = json["cliffs"] = Json::array();
  for (const std::vector<Estimate>& cliffs : grid.cliffs) {
    std::vector<Json> value, low, high;
    std::vector<std::string> reached, limited_by;
    for (const Estimate& cliff : cliffs) {
      value.push_back(number(cliff.value));
      low.push_back(number(cliff.low));
      high.push_back(number(cliff.high));
      reached.emplace_back(to_string(cliff.reached));
      limited_by.emplace_back(cliff.limited_by == LimitedBy::none ? "-"
                                                                  : to_string(cliff.limited_by));
    }
    all.push_back({{"value", value},
                   {"low", low},
                   {"high", high},
                   {"reached", fmt::format("{}", fmt::join(reached, " "))},
                   {"limited_by", fmt::format("{}", fmt::join(limited_by, " "))}});
  }
  return json;
}

Json to_json(const Indicative& indicative) {
  if (!indicative.any()) return nullptr;
  return {{"cliff_per_s", cliff_json(indicative.cliff)},
          {"saturation_per_s", to_json(indicative.saturation)},
          {"disturbed", indicative.disturbed},
          {"errs", "low"},
          {"cause", indicative.cause},
          {"text", why_indicative(indicative)}};
}

Json twin_json(const CellResult& result) {
  if (!(result.twin_weight > 0)) return nullptr;
  return {{"weight", result.twin_weight},
          {"overhead", number(result.twin_overhead)},
          {"order", to_string(result.twin_order)}};
}

Json to_json(const TwinResponse& against) {
  if (against.trials == 0) return nullptr;
  return {{"queueing_ns", against.queueing_ns},
          {"added_ns", against.added_ns},
          {"trials", against.trials}};
}

Json classes_json(const CellSummary& cell) {
  Json all = Json::array();
  for (const ClassSummary& each : cell.classes) {
    all.push_back({{"name", each.name},
                   {"slo_ns", number(each.slo_ns)},
                   {"cliff_per_s", cliff_json(each.cliff)}});
  }
  return all;
}

Json capacity_json(const CellSummary& cell) {
  const CellResult& r = cell.result;
  Json json = {{"schema", kSchema},
               {"model", cell.model.to_string()},
               {"workload", cell.workload.to_string()},
               {"slo_ns", number(cell.slo_ns)},
               {"slo_percentile", cell.slo_percentile},
               {"service_time_ns", number(cell.service_time_ns)},
               {"saturation_per_s", to_json(r.saturation)},
               {"cliff_per_s", cliff_json(r.cliff)},
               {"cliff5_per_s", cliff_json(r.cliff5)},
               {"cliff20_per_s", cliff_json(r.cliff20)},
               {"knee_per_s", to_json(r.knee)},
               {"steepness", number(r.steepness)},
               {"closed_loop_plateau_per_s", number(r.closed_loop_plateau_per_s)},
               {"overload_retention", number(r.overload_retention.value)},
               {"overload_retention_interval", to_json(r.overload_retention)},
               {"recovery", to_json(r.recovery)},
               {"usl", to_json(cell.usl)},
               {"ideal_saturation_per_s", number(cell.ideal_saturation_per_s)},
               {"ideal_cliff_per_s", number(cell.ideal_cliff_per_s)},
               {"saturation_of_ideal", to_json(cell.saturation_of_ideal)},
               {"cliff_of_ideal", to_json(cell.cliff_of_ideal)},
               {"cpu_ns_per_request", number(cell.cpu_ns_per_request)},
               {"classes", classes_json(cell)},
               {"attempts_per_request", number(cell.attempts_per_request)},
               {"wasted", number(cell.wasted)},
               {"cost_per_million", to_json(cost_per_million(cell))},
               {"trials", cell.trials},
               {"invalid", cell.invalid},
               {"invalid_causes", cell.invalid_causes},
               {"limit", cell.limit.empty() ? Json(nullptr) : Json(cell.limit)},
               {"note", cell.note},
               {"failure", cell.failure},
               {"lacking", cell.lacking},
               {"indicative", to_json(cell.indicative)},
               {"twin", twin_json(r)},
               {"against_twin", to_json(cell.against_twin)},
               {"slo_grid", cell.failure.empty() ? to_json(slo_grid(cell.evidence, cell.options, r))
                                                 : Json(nullptr)}};
  Json& points = json["points"] = Json::array();
  for (const Record& record : cell.points) {
    Json point = to_json(record.trial);
    point["phase"] = to_string(record.phase);
    point["block"] = record.block;
    point["attempt"] = record.attempt;
    point["used"] = record.used;
    points.push_back(std::move(point));
  }
  return json;
}

}  // namespace precipice
