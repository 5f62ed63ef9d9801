#include "harness/store/trial_parts_json.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "harness/store/trial_field_makers.hpp"

namespace precipice {

Json classes_json(const Trial& trial) {
  Json all = Json::array();
  for (std::size_t i = 0; i < trial.request.classes.size(); ++i) {
    const RequestClass& asked = trial.request.classes[i];
    Json each = {{"name", asked.name}, {"share", asked.share}, {"slo_ns", asked.slo.count()}};
    if (i < trial.classes.size()) {
      const ClassFigures& figures = trial.classes[i];
      each["requests"] = figures.requests;
      each["completed"] = figures.completed;
      each["loss"] = number(figures.loss());
      each["response_ns"] = json_of(figures.response);
      each["slo_percentile_ns"] =
          figures.response.known ? Json(figures.slo_percentile_ns) : Json(nullptr);
    }
    all.push_back(std::move(each));
  }
  return all;
}
void take_classes(const Json& json, Trial& trial) {
  for (const Json& each : json) {
    RequestClass& asked = trial.request.classes.emplace_back();
    read(each, "name", asked.name);
    read(each, "share", asked.share);
    if (each.contains("slo_ns")) take_into(each.at("slo_ns"), asked.slo);
    ClassFigures& figures = trial.classes.emplace_back();
    figures.name = asked.name;
    if (each.contains("requests")) take_into(each.at("requests"), figures.requests);
    if (each.contains("completed")) take_into(each.at("completed"), figures.completed);
    if (each.contains("response_ns")) take_into(each.at("response_ns"), figures.response);
    if (each.contains("slo_percentile_ns"))
      take_into(each.at("slo_percentile_ns"), figures.slo_percentile_ns);
  }
}

Json timeline_json(const TrialTimeline& timeline) {
  const auto numbers = [](const std::vector<double>& values) {
    Json all = Json::array();
    for (const double value : values) all.push_back(number(value));
    return all;
  };
  return {{"slice_s", number(timeline.slice_s)},
          {"offered_per_s", numbers(timeline.offered_per_s)},
          {"goodput_per_s", numbers(timeline.goodput_per_s)},
          {"lost_per_s", numbers(timeline.lost_per_s)},
          {"p99_ns", numbers(timeline.p99_ns)},
          {"attempts_per_s", numbers(timeline.attempts_per_s)},
          {"knob", timeline.knob},
          {"knob_values", numbers(timeline.knob_values)},
          {"recovered_after_s", json_of(timeline.recovered_after_s)}};
}
TrialTimeline timeline_from(const Json& json) {
  TrialTimeline timeline;
  const auto numbers = [&](const char* name, std::vector<double>& into) {
    if (!json.contains(name)) return;
    for (const Json& value : json.at(name)) take_into(value, into.emplace_back());
  };
  read(json, "slice_s", timeline.slice_s);
  numbers("offered_per_s", timeline.offered_per_s);
  numbers("goodput_per_s", timeline.goodput_per_s);
  numbers("lost_per_s", timeline.lost_per_s);
  numbers("p99_ns", timeline.p99_ns);
  numbers("attempts_per_s", timeline.attempts_per_s);
  read(json, "knob", timeline.knob);
  numbers("knob_values", timeline.knob_values);
  if (json.contains("recovered_after_s"))
    take_into(json.at("recovered_after_s"), timeline.recovered_after_s);
  return timeline;
}

}  // namespace precipice
