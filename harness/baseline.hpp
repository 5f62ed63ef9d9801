// Runs that are kept under a name, for later ones to be held against: results/baselines/NAME.
#pragma once

#include <string>

namespace precipice {

/// Where the baseline of this name is, whether or not it is there. `results` is the directory that
/// holds the runs. Throws UsageError unless the name is letters, digits, '.', '_' and '-', and does
/// not begin with a dot or a dash.
std::string baseline_directory(const std::string& results, const std::string& name);

/// Copies what a run is read from (manifest, suite, environments, journal, tables, a trace beside
/// the suite; no figures and no report) to the baseline's directory, replacing an earlier one only
/// when all of it is on disk. Returns the directory. Throws CannotWrite and UsageError.
std::string save_baseline(const std::string& run, const std::string& results,
                          const std::string& name);

}  // namespace precipice
