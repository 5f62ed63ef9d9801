// The fields of a trial, once.
#pragma once

#include <vector>

#include "harness/store/trial_field.hpp"

namespace precipice {

/// In the order of the JSON. Thread-safe.
const std::vector<TrialField>& trial_fields();

}  // namespace precipice
