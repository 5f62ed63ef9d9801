// Runs that are kept under a name, for later ones to be held against: results/baselines/NAME.
#pragma once

#include <string>
#include <string_view>

namespace precipice {

/// The directory, among those of the suites, that holds them.
inline constexpr std::string_view kBaselines = "baselines";

/// Where the baseline of this name is, whether or not it is there. `results` is the directory that
/// holds the runs. Throws UsageError unless the name is letters, digits, '.', '_' and '-', does not
/// begin with a dot or a dash, and has no '.part' in it.
std::string baseline_directory(const std::string& results, const std::string& name);

/// Copies what a run is read from (manifest, suite, environments, journal, tables, a trace beside
/// the suite; no figures and no report) to the baseline's directory, replacing an earlier one only
/// when all of it is on disk. Returns the directory. Throws CannotWrite and UsageError.
std::string save_baseline(const std::string& run, const std::string& results,
                          const std::string& name);

}  // namespace precipice
