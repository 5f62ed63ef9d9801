// From points to saturation, cliff and knee, each with its interval: pure functions.
#pragma once

#include <vector>

#include "harness/capacity/cell_result.hpp"
#include "harness/capacity/point.hpp"

namespace precipice {

/// Everything about one cell from all its points. Invalid points are ignored; order does not
/// matter.
CellResult analyse(const std::vector<Point>& points, const CliffOptions& options);

/// Makes the independently estimated figures consistent: cliff5 <= cliff <= cliff20 <= saturation,
/// where both of a pair were reached. A value moves, and its interval as far as to contain it. For
/// display only: compare and resample the originals.
CellResult ordered_for_display(CellResult result);

}  // namespace precipice
