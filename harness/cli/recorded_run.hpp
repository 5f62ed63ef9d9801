// A campaign into a run's directory: what `run` and `advise` do alike.
#pragma once

#include <cstdio>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/cli/verb.hpp"

namespace precipice::cli {

struct RecordingOptions {
  std::string out;     ///< as given, see results_root
  bool fresh = false;  ///< begin a new run even where one could be continued
  bool anonymous = false;
  bool force = false;  ///< without a look at the noise
  /// A run that its budget has ended is finished: the budget is part of what was asked, not of how
  /// much of a suite fits into today.
  bool budget_finishes = false;
  bool only_the_end = false;  ///< no line for each finished cell
  /// What is left of the budget goes to further blocks of the cells whose order is open.
  bool further_blocks = false;
  std::FILE* progress = stderr;
};

struct RecordedRun {
  CampaignResult result;
  std::string directory;
  std::string hint;  ///< for one that was interrupted: where it is, and how to continue
};

/// Looks at the machine, opens or continues the run, measures `plan` and writes the summaries.
/// Throws as Store, and Interrupted with the hint.
RecordedRun record_run(const Plan& plan, const RecordingOptions& options, const Words& argv);

}  // namespace precipice::cli
