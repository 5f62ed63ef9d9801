// The fields of a trial: what results/README.md says of them, and that nothing is lost on the way.
#include "harness/store/trial_fields.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "harness/store/summary_files.hpp"
#include "harness/store/trial_json.hpp"

namespace precipice {
namespace {

std::string dotted(const char* pointer) {
  std::string name(pointer + 1);
  for (char& c : name) {
    if (c == '/') c = '.';
  }
  return name;
}

std::string readme() {
  std::ifstream in(PRECIPICE_SOURCE_DIR "/results/README.md");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(TrialFields, StandInTheReadmeAsTheyAreInTheProgram) {
  std::string table = "| field | unit | what it is |\n|---|---|---|\n";
  for (const TrialField& field : trial_fields())
    table += fmt::format("| `{}` | {} | {} |\n", dotted(field.pointer), field.unit, field.meaning);
  EXPECT_NE(readme().find(table), std::string::npos) << "results/README.md should have:\n" << table;
}

TEST(TrialFields, ColumnsOfPointsStandInTheReadmeToo) {
  std::string table = "| column | unit | field of the trial |\n|---|---|---|\n";
  for (const TrialField& field : trial_fields()) {
    for (const TrialColumn& column : field.columns)
      table +=
          fmt::format("| `{}` | {} | `{}` |\n", column.name, field.unit, dotted(field.pointer));
  }
  EXPECT_NE(readme().find(table), std::string::npos) << "results/README.md should have:\n" << table;
}

TEST(TrialFields, HaveOnePlaceEachAndOneColumnEach) {
  std::set<std::string> places, columns;
  const std::string header = "," + points_header() + ",";
  for (const TrialField& field : trial_fields()) {
    EXPECT_TRUE(places.insert(field.pointer).second) << field.pointer;
    for (const TrialColumn& column : field.columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << column.name;
      EXPECT_NE(header.find(fmt::format(",{},", column.name)), std::string::npos) << column.name;
    }
  }
}

TEST(TrialFields, ComeBackFromJsonEachByItself) {
  Trial trial;
  trial.request.model.name = "inline";
  trial.request.workload.name = "empty";
  trial.response.known = true;
  trial.hiccup_max_ns = 3;
  trial.backend_busy = 0.5;
  trial.invalid_reasons.push_back({Cause::window, TrialGate::offered_rate, "too short"});
  trial.errors[5] = 7;
  const Json whole = to_json(trial);
  EXPECT_EQ(to_json(trial_from_json(whole)), whole);
  for (const TrialField& field : trial_fields()) {
    const Json::json_pointer place(field.pointer);
    if (!field.take || !whole.contains(place)) continue;
    // A number that no default is: it must be in the same place after both ways.
    if (!whole.at(place).is_number() && !whole.at(place).is_null()) continue;
    Json changed = whole;
    changed[place] = 41;
    EXPECT_EQ(to_json(trial_from_json(changed)).at(place), Json(41)) << field.pointer;
  }
}

}  // namespace
}  // namespace precipice
