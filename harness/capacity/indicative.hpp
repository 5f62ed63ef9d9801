// What is shown of a cell where the host disturbed every trial that a figure needs.
#pragma once

#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"

namespace precipice {

/// Saturation and cliff by the estimators of valid trials, from the valid and the disturbed points
/// of the cell, each where `summary.result` has none. Empty where no trial was disturbed by the
/// host alone, and where the model was at fault.
Indicative indicative(const Plan& plan, const CellSummary& summary);

/// "neighbour on CPU 1; a neighbour makes a model look worse, never better"
std::string why_indicative(const Indicative& indicative);

/// Where trials were made and no trial of the run is valid: that, what most often prevented it, and
/// what to do. "" otherwise.
std::string nothing_valid(const CampaignResult& result);

}  // namespace precipice
