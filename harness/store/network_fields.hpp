// The fields of a trial over sockets; left out of all others. For trial_fields.cpp alone.
#pragma once

#include <vector>

#include "harness/store/trial_field.hpp"

namespace precipice {

std::vector<TrialField> network_fields();

}  // namespace precipice
