#include "harness/store/record_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "harness/capacity/point.hpp"
#include "harness/store/histogram_json.hpp"
#include "harness/store/json_fields.hpp"
#include "harness/store/trial_json.hpp"

namespace precipice {
namespace {

Phase phase_named(const std::string& name) {
  for (const Phase phase :
       {Phase::plateau, Phase::coarse, Phase::refine, Phase::overload, Phase::grid}) {
    if (name == to_string(phase)) return phase;
  }
  throw std::runtime_error(fmt::format("unknown phase '{}'", name));
}

}  // namespace

Json to_json(const Record& record) {
  Json json = {{"schema", kSchema},
               {"kind", "trial"},
               {"key", record.key},
               {"series", record.series},
               {"workload", record.workload},
               {"phase", to_string(record.phase)},
               {"block", record.block},
               {"attempt", record.attempt},
               {"used", record.used},
               {"generator_limited", record.generator_limited},
               {"slo_ns", number(record.slo_ns)},
               {"at_s", number(record.at_s)},
               {"trial", to_json(record.trial)},
               {"histogram", to_json(record.trial.response_histogram)}};
  Json& slices = json["slices"] = Json::array();
  for (const Histogram& slice : record.trial.slices) slices.push_back(to_json(coarsened(slice)));
  return json;
}

Record record_from_json(const Json& json) {
  Record record;
  record.key = json.at("key").get<std::string>();
  record.series = json.at("series").get<std::string>();
  record.workload = json.at("workload").get<std::string>();
  record.phase = phase_named(json.at("phase").get<std::string>());
  read(json, "block", record.block);
  read(json, "attempt", record.attempt);
  read(json, "used", record.used);
  read(json, "generator_limited", record.generator_limited);
  read(json, "slo_ns", record.slo_ns);
  read(json, "at_s", record.at_s);
  record.trial = trial_from_json(json.at("trial"));
  record.trial.response_histogram = histogram_from_json(json.at("histogram"));
  for (const Json& slice : child(json, "slices"))
    record.trial.slices.push_back(histogram_from_json(slice));
  return record;
}

Json to_json(const CalibrationRecord& record) {
  return {{"schema", kSchema},
          {"kind", "calibration"},
          {"key", record.key},
          {"workload", record.workload},
          {"block", record.block},
          {"mean_ns", number(record.calibration.mean_ns)},
          {"p99_ns", number(record.calibration.p99_ns)},
          {"speed_ns", number(record.calibration.speed_ns)},
          {"valid", record.calibration.valid}};
}

CalibrationRecord calibration_from_json(const Json& json) {
  CalibrationRecord record;
  record.key = json.at("key").get<std::string>();
  record.workload = json.at("workload").get<std::string>();
  read(json, "block", record.block);
  read(json, "mean_ns", record.calibration.mean_ns);
  read(json, "p99_ns", record.calibration.p99_ns);
  read(json, "speed_ns", record.calibration.speed_ns);
  read(json, "valid", record.calibration.valid);
  return record;
}

}  // namespace precipice
