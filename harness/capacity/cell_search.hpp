// The order of one cell's trials: the search, then block by block. Shared by campaigns, by the
// ideal's own search on the virtual clock, and by whatever else measures a cell.
#pragma once

#include <functional>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/search.hpp"

namespace precipice {

/// Whether a point of the cell counts: then a load that cannot be set up bounds its search.
bool has_valid_point(const std::vector<Point>& evidence);

/// The answer to a probe whose load cannot be set up although others could: it bounds the search as
/// a rate does that the generator cannot offer.
Point beyond_reach(const Probe& probe, int block);

/// How a cell's probes are measured, and when that ends.
struct CellMeasurement {
  std::function<Point(const Probe&)> measure;  ///< may throw; then the evidence so far stays
  /// Asked between trials; false ends the cell early. Empty: never ended.
  std::function<bool()> proceed;
  /// Disturbed points steer the search as valid ones do. For a cell of which nothing valid is
  /// known: where to measure is no result, and a rate that is a little too low finds more than
  /// none.
  bool steer_by_disturbed = false;
};

/// Plateau and coarse search, up to Search::next() answering nullopt. Appends every point to
/// `evidence`. False when `proceed` ended it.
bool search_cell(Search& search, const CellMeasurement& cell, std::vector<Point>& evidence);

/// The rates of one block. Appends every point to `evidence`. False when `proceed` ended it.
bool measure_block(Search& search, int block, const CellMeasurement& cell,
                   std::vector<Point>& evidence);

}  // namespace precipice
