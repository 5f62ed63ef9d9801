// The groups of checks that doctor makes, each over what was examined. A check says one thing and
// the number behind it; what the machine does not show is passed over.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/host/examination.hpp"
#include "harness/host/finding.hpp"

namespace precipice {

void check_processors(const Examination& examination, Findings& findings);  ///< cpu_checks.cpp
void check_noise(const Examination& examination, Findings& findings);       ///< noise_checks.cpp
void check_limits(const Examination& examination, Findings& findings);      ///< limit_checks.cpp
void check_storage_and_build(const Examination& examination,
                             Findings& findings);  ///< limit_checks.cpp

}  // namespace precipice
