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
namespace {

/// What the estimate's own interval rests on. Where the interval was widened afterwards, as by
/// rates whose verdicts may change, what is shown counts.
void add_known_scatter(PairSide& side, bool cliff) {
  const Estimate& e = side.estimate;
  const double own = std::max(0, side.blocks - 1);
  const double degrees = std::isfinite(e.degrees) ? e.degrees : own;
  if (!(degrees >= 1)) return;
  double deviation = 0.5 * std::log(e.high / e.low) / student_t(0.975, degrees);
  if (!std::isfinite(deviation)) deviation = 0;
  if (std::isfinite(e.log_deviation)) deviation = std::max(deviation, e.log_deviation);
  if (degrees > own)
    side.known = {deviation, degrees - own};
  else if (cliff)
    // All blocks of a cell share the rates that its search chose: what that adds is in the interval
    // of the cliff, and not in the scatter of its blocks.
    side.least_error = std::max(side.least_error, deviation);
}

}  // namespace

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
  side.of_all_blocks = cliff;
  side.window_s = options.window_s;
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
  add_known_scatter(side, cliff);
  return side;
}

}  // namespace precipice
