// From the trials of one cell to its row of the summary: pure, so that a campaign that has just
// ended and a journal that is read back years later give the same figures.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/campaign.hpp"
#include "harness/plan.hpp"

namespace precipice {

/// S_ref of a cell: of its workload on `inline`, or the oracle's own mean. nullopt when the
/// workload was not calibrated.
std::optional<Calibration> reference_service(const Spec& model, const Spec& workload,
                                             const std::map<std::string, Calibration>& service);

/// Counts a finished attempt into the cell: trials, invalid ones and their causes, a model's fault,
/// the note. Its histograms are dropped, so take its point first.
void count_trial(CellSummary& summary, Record&& record);

/// The point of a trial, as the search and the estimators see it.
Point point_of(const Record& record);

/// Fills saturation, cliffs and knee of `summary` from its evidence, and nothing else.
void estimate_figures(const Plan& plan, CellSummary& summary);
/// Fills all figures of `summary` from its evidence and options. `service` is S_block by block;
/// where a block has none, S_ref stands for it.
void conclude(const Plan& plan, const std::map<int, Calibration>& service, CellSummary& summary);

}  // namespace precipice
