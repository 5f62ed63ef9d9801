// Is this machine fit to measure on, and what would change a number. Looks; changes nothing.
#pragma once

#include <string>
#include <vector>

#include "harness/host/examination.hpp"
#include "harness/host/finding.hpp"
#include "harness/json.hpp"
#include "models/cpu_set.hpp"

namespace precipice {

/// What would change a number, worst first. Pure; a field of the environment that is missing or
/// null is passed over.
std::vector<Finding> findings(const Examination& examination);

/// What a run on these CPUs says before it begins, in one line each: what is bad, and what may move
/// a result by a quarter or more. Pure.
std::vector<std::string> remarks_at_start(const Examination& examination);
/// Of this machine and these CPUs, without a watch: takes milliseconds.
std::vector<std::string> remarks_at_start(const CpuSet& generator, const CpuSet& model);

/// {"schema","fit","smallest_slo_ns","smallest_service_ns","watched_s","findings":[{"severity",
/// "what","why","cure"}],"floor","stalls","environment"}. `fit`: nothing is bad.
Json to_json(const Examination& examination, const std::vector<Finding>& found);
std::string to_text(const Examination& examination, const std::vector<Finding>& found);

}  // namespace precipice
