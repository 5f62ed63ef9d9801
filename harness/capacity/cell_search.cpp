#include "harness/capacity/cell_search.hpp"

namespace precipice {
namespace {

bool may_proceed(const CellMeasurement& cell) { return !cell.proceed || cell.proceed(); }

}  // namespace

bool search_cell(Search& search, const CellMeasurement& cell, std::vector<Point>& evidence) {
  while (const auto probe = search.next()) {
    evidence.push_back(cell.measure(*probe));
    search.add(evidence.back());
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
