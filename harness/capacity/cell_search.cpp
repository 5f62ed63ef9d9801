#include "harness/capacity/cell_search.hpp"

#include <algorithm>

namespace precipice {
namespace {

bool may_proceed(const CellMeasurement& cell) { return !cell.proceed || cell.proceed(); }

}  // namespace

bool has_valid_point(const std::vector<Point>& evidence) {
  return std::any_of(evidence.begin(), evidence.end(),
                     [](const Point& point) { return point.valid; });
}

Point beyond_reach(const Probe& probe, int block) {
  Point point;
  point.phase = probe.phase;
  point.block = block;
  point.closed = probe.closed;
  point.rate_per_s = probe.rate_per_s;
  point.generator_limited = true;
  return point;
}

bool search_cell(Search& search, const CellMeasurement& cell, std::vector<Point>& evidence) {
  while (const auto probe = search.next()) {
    evidence.push_back(cell.measure(*probe));
    Point seen = evidence.back();
    seen.valid = seen.valid || (cell.steer_by_disturbed && seen.disturbed);
    search.add(seen);
    if (!may_proceed(cell)) return false;
  }
  return true;
}

bool measure_block(Search& search, int block, const CellMeasurement& cell,
                   std::vector<Point>& evidence) {
  for (const Probe& probe : search.block(block)) {
    if (!may_proceed(cell)) return false;
    evidence.push_back(cell.measure(probe));
    search.learn(evidence.back());
  }
  return true;
}

}  // namespace precipice
