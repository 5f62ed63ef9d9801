// The lines of a journal. Fields are described in results/README.md.
#pragma once

#include "harness/capacity/record.hpp"
#include "harness/json.hpp"

namespace precipice {

Json to_json(const Record& record);
/// Throws std::exception where it is none; absent fields keep their defaults.
Record record_from_json(const Json& json);
Json to_json(const CalibrationRecord& record);
CalibrationRecord calibration_from_json(const Json& json);

}  // namespace precipice
