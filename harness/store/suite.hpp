// A suite file becomes a plan: every default filled in, every list expanded, every mistake named by
// file, line and key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/capacity/plan.hpp"
#include "harness/capacity/plan_estimate.hpp"
#include "harness/store/suite_writer.hpp"

namespace precipice {

/// What the plan is for, which decides what is checked.
enum class SuiteUse : std::uint8_t {
  measure,
  read,  ///< an existing run's suite: body files are not read, short windows are accepted
};
/// Reads and checks a suite. Throws UsageError: `FILE:LINE: key: what is wrong and what is right`.
Plan load_suite(const std::string& path, SuiteUse use = SuiteUse::measure);
/// As load_suite, of a text; `file` is for messages.
Plan parse_suite(std::string_view text, std::string_view file, SuiteUse use = SuiteUse::measure);

/// Keeps the cells whose "series workload" contains `only`, and drops models and workloads that
/// have none left. Throws UsageError that lists the cells when nothing is left.
void keep_only(Plan& plan, std::string_view only);

}  // namespace precipice
