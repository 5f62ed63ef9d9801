#include "harness/store/trial_json.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "harness/store/trial_fields.hpp"

namespace precipice {
namespace {

using Place = std::pair<Json::json_pointer, const TrialField*>;

const std::vector<Place>& places() {
  static const std::vector<Place> all = [] {
    std::vector<Place> made;
    for (const TrialField& field : trial_fields())
      made.emplace_back(Json::json_pointer(field.pointer), &field);
    return made;
  }();
  return all;
}

}  // namespace

Json to_json(const Trial& trial) {
  Json json = {{"schema", kSchema}};
  for (const auto& [place, field] : places()) {
    if (auto value = field->value(trial)) json[place] = *std::move(value);
  }
  return json;
}

Trial trial_from_json(const Json& json) {
  // Without these two it is no trial.
  static_cast<void>(json.at("model"));
  static_cast<void>(json.at("workload"));
  Trial trial;
  for (const auto& [place, field] : places()) {
    if (field->take && json.contains(place)) field->take(json.at(place), trial);
  }
  return trial;
}

}  // namespace precipice
