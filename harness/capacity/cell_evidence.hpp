// What the trials of a cell add up to, before it is held against anything.
#pragma once

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// Counts a finished attempt into the cell: trials, invalid ones and their causes, a model's fault,
/// the note. Its histograms are dropped, so take its point first.
void count_trial(CellSummary& summary, Record&& record);

/// The point of a trial, as the search and the estimators see it.
Point point_of(const Trial& trial, Phase phase, int block);
/// The same of a recorded attempt, whose point counts if the attempt is used.
Point point_of(const Record& record);

/// How the evidence of the cell is to be analysed.
CliffOptions cliff_options(const Plan& plan, const CellSummary& summary);

/// Fills saturation, cliffs and knee of `summary` from its evidence, and nothing else.
void estimate_figures(const Plan& plan, CellSummary& summary);

}  // namespace precipice
