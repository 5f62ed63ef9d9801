// A run's directory read back, without changing anything in it: what compare, check, export and
// every later reader start from.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/capacity/record.hpp"
#include "harness/json.hpp"

namespace precipice {

/// A finished or unfinished run. The figures are made anew from the journal by this program's
/// estimators, so that runs of different ages are compared by the same rules.
struct RunArchive {
  std::string directory;
  std::string name;  ///< SUITE/TIME-GITSHA
  Plan plan;         ///< suite.toml as resolved, claims included
  std::shared_ptr<const Json> manifest, environment_before, environment_after;  ///< null objects
                                                                                ///< where absent
  CampaignResult result;
  std::string remark;  ///< what a reader should know (unfinished, a torn last line), or ""
};

/// `path` is a run's directory, a suite's directory (its newest finished run), or "SUITE" under
/// results/. Throws UsageError that names what is missing, damaged or of another schema.
RunArchive open_run(const std::string& path);

/// Every trial of the journal in the order measured, dense histogram and slices included, one in
/// memory at a time. A torn last line is left out.
void for_each_trial(const std::string& directory, const std::function<void(const Record&)>& use);

}  // namespace precipice
