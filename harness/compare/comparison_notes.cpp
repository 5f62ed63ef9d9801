#include "harness/compare/comparison_notes.hpp"

#include <fmt/format.h>

#include <cmath>

#include "harness/format.hpp"

namespace precipice {
namespace {

std::string speed_text(const ComparedCell& cell) {
  if (!std::isfinite(cell.speed)) return "";
  const std::string direction = cell.speed >= 0 ? "faster" : "slower";
  return fmt::format("the machine was {} {} in B ({:+.1f}% to {:+.1f}% by block)",
                     percent(std::abs(cell.speed)), direction, 100 * cell.speed_low,
                     100 * cell.speed_high);
}

}  // namespace

std::vector<std::string> notes_of(const ComparedCell& cell) {
  std::vector<std::string> notes;
  if (cell.by_kind) {
    notes.push_back(fmt::format(
        "A is {} {}, B is {} {}: paired as the only unmatched cells of this model and workload",
        cell.model_a.to_string(), cell.workload_a.to_string(), cell.model_b.to_string(),
        cell.workload_b.to_string()));
  }
  const std::string speed = speed_text(cell);
  if (cell.adjusted) {
    std::string note =
        speed.empty() ? "compared at equal machine speed" : speed + "; compared at equal speed";
    if (std::abs(cell.work - 1) > 5e-4)
      note += fmt::format(
          ", and at equal work (a request of B has {:.3f} times A's iterations for "
          "the same nominal time)",
          cell.work);
    notes.push_back(note);
  } else if (std::abs(cell.speed) > 0.03) {
    notes.push_back(speed + "; work that waits is not adjusted, so a part of that may be in it");
  }
  const bool moved = std::abs(cell.slo_common_a_ns / cell.slo_a_ns - 1) > 5e-3 ||
                     std::abs(cell.slo_common_b_ns / cell.slo_b_ns - 1) > 5e-3;
  if (moved) {
    notes.push_back(fmt::format(
        "the SLOs were p{:g} {} and {}; both cliffs are read at one bound: {} in A, {} in B",
        cell.slo_percentile, short_time(cell.slo_a_ns), short_time(cell.slo_b_ns),
        short_time(cell.slo_common_a_ns), short_time(cell.slo_common_b_ns)));
  }
  for (const Comparison& c : cell.figures) {
    if (!c.remark.empty()) notes.push_back(c.figure + ": " + c.remark);
  }
  return notes;
}

}  // namespace precipice
