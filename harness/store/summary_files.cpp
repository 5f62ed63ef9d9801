#include "harness/store/summary_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/speed_drift.hpp"
#include "harness/compare/levers.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/json.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/store/cell_json.hpp"
#include "harness/store/comparison_json.hpp"
#include "harness/store/trial_fields.hpp"

namespace precipice {
namespace {

std::string text_field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string field(double value) {
  return std::isfinite(value) ? fmt::format("{:.10g}", value) : "";
}

std::string joined(const std::vector<std::string>& fields) {
  return fmt::format("{}", fmt::join(fields, ","));
}

void add(std::vector<std::string>& fields, const Estimate& estimate) {
  fields.insert(fields.end(), {field(estimate.value), field(estimate.low), field(estimate.high),
                               to_string(estimate.reached)});
}

using PointsColumn = std::pair<std::string, std::function<std::string(const Record&)>>;

/// Readers take columns by name, and people know where they stand: these come in this order, and
/// what trial_fields gains comes after them.
const std::vector<PointsColumn>& points_columns() {
  static const std::vector<PointsColumn> columns = [] {
    std::map<std::string, std::function<std::string(const Record&)>> known = {
        {"series", [](const Record& r) { return text_field(r.series); }},
        {"model", [](const Record& r) { return text_field(r.trial.request.model.name); }},
        {"workload", [](const Record& r) { return text_field(r.workload); }},
        {"phase", [](const Record& r) { return std::string(to_string(r.phase)); }},
        {"block", [](const Record& r) { return std::to_string(r.block); }},
        {"attempt", [](const Record& r) { return std::to_string(r.attempt); }},
        {"slo_ns", [](const Record& r) { return field(r.slo_ns); }},
        {"used", [](const Record& r) { return std::string(r.used ? "true" : "false"); }},
        {"at_s", [](const Record& r) { return field(r.at_s); }},
        {"key", [](const Record& r) { return text_field(r.key); }}};
    std::vector<std::string> names = {"series",
                                      "model",
                                      "workload",
                                      "phase",
                                      "block",
                                      "attempt",
                                      "closed",
                                      "rate_per_s",
                                      "offered_per_s",
                                      "goodput_per_s",
                                      "mean_ns",
                                      "p50_ns",
                                      "p90_ns",
                                      "p95_ns",
                                      "p99_ns",
                                      "p999_ns",
                                      "max_ns",
                                      "slo_ns",
                                      "slo_percentile",
                                      "slo_percentile_ns",
                                      "loss",
                                      "stable",
                                      "valid",
                                      "used",
                                      "invalid_cause",
                                      "requests",
                                      "in_flight_mean",
                                      "cpu_model_ns",
                                      "cpu_generator_ns",
                                      "context_switches_per_request",
                                      "peak_rss_bytes",
                                      "submit_p50_ns",
                                      "submit_p99_ns",
                                      "self_lag_p99_ns",
                                      "steal_percent",
                                      "hiccup_max_ns",
                                      "speed_ns",
                                      "at_s",
                                      "key"};
    for (const TrialField& each : trial_fields()) {
      for (const TrialColumn& column : each.columns) {
        const bool is_new =
            known.emplace(column.name, [&column](const Record& r) { return column.text(r.trial); })
                .second;
        if (!is_new) throw std::logic_error(fmt::format("two columns are called {}", column.name));
        if (std::find(names.begin(), names.end(), column.name) == names.end())
          names.emplace_back(column.name);
      }
    }
    std::vector<PointsColumn> made;
    for (const std::string& name : names) made.emplace_back(name, known.at(name));
    return made;
  }();
  return columns;
}

}  // namespace

std::string points_header() {
  std::vector<std::string> names;
  for (const auto& [name, text] : points_columns()) names.push_back(name);
  return joined(names);
}

std::string points_row(const Record& record) {
  std::vector<std::string> fields;
  for (const auto& [name, text] : points_columns()) fields.push_back(text(record));
  return joined(fields);
}

Json summary_json(const std::string& suite, const CampaignResult& result) {
  Json json = {{"schema", kSchema},
               {"suite", suite},
               {"blocks_done", result.blocks_done},
               {"interrupted", result.interrupted}};
  Json& service = json["service"] = Json::object();
  for (const auto& [workload, calibration] : result.service) {
    service[workload] = {{"mean_ns", number(calibration.mean_ns)},
                         {"p99_ns", number(calibration.p99_ns)},
                         {"valid", calibration.valid}};
  }
  Json& cells = json["cells"] = Json::array();
  for (const CellSummary& cell : result.cells) {
    Json row = {{"series", cell.model.to_string()},    {"model", cell.model.name},
                {"model_options", cell.model.given},   {"workload", cell.workload.to_string()},
                {"workload_name", cell.workload.name}, {"workload_options", cell.workload.given}};
    const Json figures = capacity_json(cell);
    for (const auto& [key, value] : figures.items()) {
      if (key != "schema" && key != "model" && key != "workload" && key != "points")
        row[key] = value;
    }
    row["overload_retention"] = row["overload_retention_interval"];
    row.erase("overload_retention_interval");
    cells.push_back(std::move(row));
  }
  const RunRanking ranking = rank_models(result);
  json["nothing_valid"] = nothing_valid(result);
  json["verdict"] = verdict_json(verdicts_of(result, ranking));
  json["ranking"] = ranking_json(ranking);
  json["levers"] = levers_json(levers_of(result));
  const SpeedDrift drift = speed_drift(speed_samples(result));
  json["speed"] = {{"probes", drift.samples},
                   {"median_ns", number(drift.median_ns)},
                   {"range", number(drift.range)},
                   {"between_blocks", number(drift.between_blocks)},
                   {"within_blocks", number(drift.within_blocks)},
                   {"sentences", drift.sentences}};
  return json;
}

std::string summary_csv(const CampaignResult& result) {
  std::vector<std::string> header = {"series", "model",          "workload",
                                     "slo_ns", "slo_percentile", "service_time_ns"};
  for (const std::string_view name :
       {"saturation", "cliff", "cliff5", "cliff20", "knee", "overload_retention", "recovery",
        "saturation_of_ideal", "cliff_of_ideal"}) {
    const bool rate = name.starts_with("cliff") || name == "saturation" || name == "knee";
    const bool share = name.ends_with("of_ideal");
    const std::string base = fmt::format("{}{}", name, rate && !share ? "_per_s" : "");
    header.insert(header.end(), {base, base + "_low", base + "_high", base + "_reached"});
  }
  header.insert(header.end(), {"cliff_limited_by", "steepness", "closed_loop_plateau_per_s",
                               "ideal_saturation_per_s", "ideal_cliff_per_s", "cpu_ns_per_request",
                               "trials", "invalid", "note", "failure"});
  std::string text = joined(header) + "\n";
  for (const CellSummary& cell : result.cells) {
    const CellResult& r = cell.result;
    std::vector<std::string> row = {text_field(cell.model.to_string()),
                                    cell.model.name,
                                    text_field(cell.workload.to_string()),
                                    field(cell.slo_ns),
                                    field(cell.slo_percentile),
                                    field(cell.service_time_ns)};
    for (const Estimate* estimate :
         {&r.saturation, &r.cliff, &r.cliff5, &r.cliff20, &r.knee, &r.overload_retention,
          &r.recovery, &cell.saturation_of_ideal, &cell.cliff_of_ideal}) {
      add(row, *estimate);
    }
    row.insert(row.end(), {to_string(r.cliff.limited_by), field(r.steepness),
                           field(r.closed_loop_plateau_per_s), field(cell.ideal_saturation_per_s),
                           field(cell.ideal_cliff_per_s), field(cell.cpu_ns_per_request),
                           std::to_string(cell.trials), std::to_string(cell.invalid),
                           text_field(cell.note), text_field(cell.failure)});
    text += joined(row) + "\n";
  }
  return text;
}

}  // namespace precipice
