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

/// Whether a trial shows what a request costs: a valid, stable one of an open loop at half the
/// cliff or more.
bool shows_costs(const Record& record, double cliff_per_s);
/// Of a trial of policies, else NaN: attempts begun for each request, and the share of them that
/// did not end one.
double attempts_per_request(const Trial& trial);
double wasted_share(const Trial& trial);

}  // namespace precipice
