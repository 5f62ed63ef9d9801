// [[target]] of a suite: servers that run elsewhere, measured as cells beside the models.
#pragma once

#include <string>

#include "harness/capacity/plan.hpp"
#include "harness/store/toml_section.hpp"

namespace precipice {

/// Appends a series for each, and the workload that they have in common, which is read with the
/// suite's SLO or the targets' own. `with_files`: bodies are read, from beside the suite where
/// their paths are relative; otherwise they stay empty, as for a run that is over. Throws
/// UsageError.
void read_targets(const Place& place, const toml::table& root, bool with_files, Plan& plan);

/// The [[target]] tables of a plan, as read_targets reads them.
std::string targets_toml(const Plan& plan);
/// What decides their requests and is in no table: the files' contents, as a text for a hash.
std::string targets_contents(const Plan& plan);

}  // namespace precipice
