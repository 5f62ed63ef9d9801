// The JSON of a trial and of a cell: what `--json` prints and what the journal keeps. Fields are
// described in results/README.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "harness/campaign.hpp"
#include "harness/trial.hpp"

namespace precipice {

/// Keys keep the order in which they are written here, so that a line can be read by eye.
using Json = nlohmann::ordered_json;

/// The version of every document and journal line written by this program.
inline constexpr int kSchema = 1;

/// Without histograms; NaN and infinity become null.
Json to_json(const Trial& trial);
/// The inverse; absent fields keep their defaults. Throws std::exception on a wrong type.
Trial trial_from_json(const Json& json);

/// {"overflow": n, "buckets": [index delta, count, index delta, count, ...]}; the first delta is
/// from 0. Bucket bounds are those of Histogram::bounds.
Json to_json(const Histogram& histogram);
Histogram histogram_from_json(const Json& json);
/// The same counts on a coarser grid of 32 steps per power of two (3%), for time slices.
Histogram coarsened(const Histogram& histogram);

Json to_json(const Estimate& estimate);     ///< {"value","low","high","reached"}
Json cliff_json(const Estimate& estimate);  ///< the same with "limited_by" and "resolution"
/// What `capacity --json` prints.
Json capacity_json(const CellSummary& cell);

/// Journal lines.
Json to_json(const Record& record);
Record record_from_json(const Json& json);
Json to_json(const CalibrationRecord& record);
CalibrationRecord calibration_from_json(const Json& json);

/// NaN and infinity as null, which is how they are to be written.
Json number(double value);

}  // namespace precipice
