// What changed between runs beyond noise: comparisons reduced to what a reader, or a check in CI,
// acts on.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/comparison.hpp"

namespace precipice {

enum class Change {
  none,    ///< nothing beyond noise: no difference, or bounds that agree
  higher,  ///< than the base, beyond noise
  lower,
  unclear,  ///< cannot be told: too few blocks, or nothing decides
  missing,  ///< one side has no figure
};
/// "unchanged", "higher", "lower", "unclear", "missing".
const char* to_string(Change change);

/// What the comparison says of B, A being the base.
Change change_of(const Comparison& comparison);

/// Comparisons of several runs with one base. Their families share the error: each is decided at
/// alpha divided by their number, so that all intervals hold together.
struct Overlay {
  RunToCompare base;
  std::vector<RunComparison> comparisons;  ///< A is the base in each
};
Overlay overlay_runs(const RunToCompare& base, const std::vector<RunToCompare>& others,
                     ComparisonOptions options);

/// How many comparisons came out as what. A cell of the base that a run lacks counts as missing;
/// one that only the run has is new, and no change.
struct ChangeCounts {
  int higher = 0, lower = 0, unclear = 0, missing = 0, none = 0;
  int changed() const { return higher + lower; }
};
ChangeCounts count_changes(const Overlay& overlay);

}  // namespace precipice
