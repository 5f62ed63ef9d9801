// One field of a trial: where it stands in JSON, in points.csv, its unit and its meaning.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/json.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// A column of points.csv.
struct TrialColumn {
  const char* name;
  std::function<std::string(const Trial&)> text;  ///< "" where the figure is unknown
};

/// A field of the JSON of a trial. A new one is a member of Trial and a row of the table; whoever
/// measures it fills it in.
struct TrialField {
  const char* pointer;  ///< its place, as "/host/steal_percent"
  const char* unit;     ///< "ns", "1/s", "bytes", ...; "" for what has none
  const char* meaning;
  /// Its value; nullopt: left out, since it does not belong to this trial.
  std::function<std::optional<Json>(const Trial&)> value;
  /// Takes it from a document that has it there. Throws std::exception on a wrong type. Empty: not
  /// read back, since other fields give it.
  std::function<void(const Json&, Trial&)> take;
  std::vector<TrialColumn> columns = {};
};

}  // namespace precipice
