// A plan becomes the text of a suite, and a hash by which an interrupted run knows its plan.
#pragma once

#include <cstdint>
#include <string>

#include "harness/capacity/plan.hpp"

namespace precipice {

/// The version of the format, `schema` in a suite.
inline constexpr std::int64_t kSuiteSchema = 1;

/// The plan as a suite that parses to the same plan, one series a table.
std::string to_toml(const Plan& plan);
/// 16 hex digits: equal for plans that measure the same (CPU sets, clock and the times of a trace
/// included, the budget and where a trace lies not), so that an interrupted run is continued only
/// by its own plan.
std::string plan_hash(const Plan& plan);

}  // namespace precipice
