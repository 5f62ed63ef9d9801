// The JSON of a trial: what `trial --json` prints and the journal keeps. Fields are described in
// results/README.md.
#pragma once

#include "harness/json.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// Without histograms; NaN and infinity become null.
Json to_json(const Trial& trial);
/// The inverse; absent fields keep their defaults. Throws std::exception on a wrong type.
Trial trial_from_json(const Json& json);

}  // namespace precipice
