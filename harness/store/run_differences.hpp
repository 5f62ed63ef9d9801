// What differs between two runs besides what they measured: what a reader of their comparison must
// know.
#pragma once

#include <string>
#include <vector>

#include "harness/store/run_reader.hpp"

namespace precipice {

/// Sentences on differing machines, kernels, settings, binaries and suites, and on runs that are
/// not finished.
std::vector<std::string> run_differences(const RunArchive& a, const RunArchive& b);

/// The calibration of a run's CPU work, from its manifest; 0 when it has none.
double cpu_iterations_per_us_of(const RunArchive& run);

}  // namespace precipice
