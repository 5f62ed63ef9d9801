// A suite file becomes a plan: every default filled in, every list expanded, every mistake named by
// file, line and key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/capacity/plan.hpp"

namespace precipice {

/// Reads and checks a suite. Throws UsageError: `FILE:LINE: key: what is wrong and what is right`.
enum class SuiteUse : std::uint8_t {
  measure,
  read,  ///< of a run that is there, with windows that a new one would be refused for
};
Plan load_suite(const std::string& path, SuiteUse use = SuiteUse::measure);
/// As load_suite, of a text; `file` is for messages.
Plan parse_suite(std::string_view text, std::string_view file, SuiteUse use = SuiteUse::measure);

/// Keeps the cells whose "series workload" contains `only`, and drops models and workloads that
/// have none left. Throws UsageError that lists the cells when nothing is left.
void keep_only(Plan& plan, std::string_view only);

/// The plan as a suite that parses to the same plan, one series a table.
std::string to_toml(const Plan& plan);
/// 16 hex digits: equal for plans that measure the same (CPU sets, clock and the times of a trace
/// included, the budget and where a trace lies not), so that an interrupted run is continued only
/// by its own plan.
std::string plan_hash(const Plan& plan);

/// What a plan will take. An expectation from nominal service times, usually within a third; the
/// search decides how many trials there are in the end.
struct PlanEstimate {
  int cells = 0;   ///< series x workload
  int trials = 0;  ///< all phases and blocks, repeats left out
  double seconds = 0;
};
PlanEstimate estimate(const Plan& plan);

}  // namespace precipice
