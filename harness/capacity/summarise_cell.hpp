// From the trials of one cell to its row of the summary: pure, so that a campaign that has just
// ended and a journal that is read back years later give the same figures.
#pragma once

#include <map>
#include <optional>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/ideal.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/trial/calibration.hpp"

namespace precipice {

/// Fills all figures of `summary` from its evidence and options. `service` is S_block by block;
/// where a block has none, S_ref stands for it. `ideal`: see ideal_of.
void summarise_cell(const Plan& plan, const std::map<int, Calibration>& service,
                    const std::optional<Ideal>& ideal, CellSummary& summary);

}  // namespace precipice
