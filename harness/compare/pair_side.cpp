#include "harness/compare/pair_side.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

std::string cell_name(const CellSummary& cell) {
  return cell.model.to_string() + " " + cell.workload.to_string();
}

PairSide side_of(const CellSummary& cell, const char* figure, double slo_ns,
                 std::map<int, double> adjust) {
  PairSide side;
  side.adjust = std::move(adjust);
  side.failure = cell.failure;
  CliffOptions options = cell.options;
  const bool other_slo = std::abs(slo_ns / options.slo_ns - 1) > 1e-3;
  options.slo_ns = slo_ns;
  const bool cliff = std::string_view(figure) == "cliff";
  side.estimate = cliff ? cell.result.cliff : cell.result.saturation;
  if (!cell.failure.empty() || cell.evidence.empty()) return side;
  if (cliff && other_slo) side.estimate = analyse(cell.evidence, options).cliff;
  side.series =
      cliff ? cliff_by_block(cell.evidence, options) : saturation_by_block(cell.evidence, options);
  side.window_s = options.window_s;
  // All blocks of a cell share the rates that its search chose: what that adds is in the interval
  // of the cliff, and not in the scatter of its blocks.
  const double width = std::log(side.estimate.high / side.estimate.low);
  if (cliff && side.series.size() > 1 && std::isfinite(width)) {
    const double degrees = static_cast<double>(side.series.size()) - 1;
    side.least_error = 0.5 * width / student_t(0.975, degrees);
  }
  // Where the cliff is where stability ends, or nothing was seen to end, it rests on verdicts that
  // a trial of this length gives only to within its resolution, whatever the blocks agree on.
  const double resolution = side.estimate.resolution;
  if (cliff && resolution > 0) {
    if (side.estimate.limited_by == LimitedBy::saturation)
      side.least_error = std::max(side.least_error, 0.5 * std::log1p(resolution));
    if (side.estimate.reached == Reached::above) side.estimate.value /= 1 + resolution;
  }
  // Where only a bound is known, what is compared is the bound that holds with confidence.
  Estimate& estimate = side.estimate;
  if (estimate.reached == Reached::above && estimate.low > 0)
    estimate.value = estimate.low = std::min(estimate.value, estimate.low);
  if (estimate.reached == Reached::below && std::isfinite(estimate.high))
    estimate.value = estimate.high = std::max(estimate.value, estimate.high);
  std::set<int> blocks;
  for (const Point& point : cell.evidence) {
    if (point.valid) blocks.insert(point.block);
  }
  side.blocks = static_cast<int>(blocks.size());
  return side;
}

}  // namespace precipice
