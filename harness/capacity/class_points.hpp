// The trials of a cell as the requests of one class see them.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/capacity/cell_result.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"

namespace precipice {

/// One point for each trial in which the class has a response: its responses, its losses and its
/// number of requests, at the offered load of all classes. `number` counts the classes of the
/// trial; `percentile` is what `slo_percentile_ns` becomes, one of 50, 90, 95, 99 and 99.9, or
/// nullopt for that of the SLO. A class has no histogram of its own, so each trial stands for
/// itself. Pure.
std::vector<Point> points_of_class(const std::vector<Record>& trials, std::size_t number,
                                   std::optional<double> percentile = std::nullopt);

/// How those points are read: as the cell's, against the bound of the class.
CliffOptions options_of_class(CliffOptions of_cell, double slo_ns);

}  // namespace precipice
