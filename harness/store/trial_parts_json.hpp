// JSON of those parts of a trial that are objects of their own: classes of requests and the
// timeline.
#pragma once

#include "harness/json.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

Json classes_json(const Trial& trial);
/// Appends what is asked for and what was found. Throws std::exception on a wrong type.
void take_classes(const Json& json, Trial& trial);
Json timeline_json(const TrialTimeline& timeline);
/// Throws std::exception on a wrong type.
TrialTimeline timeline_from(const Json& json);

}  // namespace precipice
