#include "harness/compare/changes.hpp"

#include <cmath>

#include "harness/stats/estimate.hpp"

namespace precipice {

const char* to_string(Change change) {
  constexpr const char* names[] = {"unchanged", "higher", "lower", "unclear", "missing"};
  return names[static_cast<int>(change)];
}

Change change_of(const Comparison& comparison) {
  const auto absent = [](const Estimate& e) {
    return e.reached == Reached::unmeasured || !std::isfinite(e.value);
  };
  const auto bound = [](const Estimate& e) {
    return e.reached == Reached::above || e.reached == Reached::below;
  };
  switch (comparison.verdict) {
    case Difference::a_higher:
      return Change::lower;
    case Difference::b_higher:
      return Change::higher;
    case Difference::indistinguishable:
    case Difference::no_relevant_difference:
      return Change::none;
    case Difference::too_few_blocks:
      return Change::unclear;
    case Difference::undecided:
      // Neither cliff was reached: nothing says that it moved.
      return bound(comparison.a) && comparison.a.reached == comparison.b.reached ? Change::none
                                                                                 : Change::unclear;
    case Difference::not_compared:
      break;
  }
  return absent(comparison.a) && absent(comparison.b) ? Change::none : Change::missing;
}

Overlay overlay_runs(const RunToCompare& base, const std::vector<RunToCompare>& others,
                     ComparisonOptions options) {
  Overlay overlay;
  overlay.base = base;
  options.alpha /= static_cast<double>(others.size());
  for (const RunToCompare& other : others)
    overlay.comparisons.push_back(compare_runs(base, other, options));
  return overlay;
}

ChangeCounts count_changes(const Overlay& overlay) {
  ChangeCounts counts;
  for (const RunComparison& comparison : overlay.comparisons) {
    counts.missing += static_cast<int>(comparison.only_a.size());
    for (const ComparedCell& cell : comparison.cells) {
      for (const Comparison& figure : cell.figures) {
        const Change change = change_of(figure);
        ++(change == Change::higher    ? counts.higher
           : change == Change::lower   ? counts.lower
           : change == Change::unclear ? counts.unclear
           : change == Change::missing ? counts.missing
                                       : counts.none);
      }
    }
  }
  return counts;
}

}  // namespace precipice
