// What keeps the figures of a target from being higher: the server itself, or the client's means.
#pragma once

#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/capacity/point.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// Makes a trial that is bound by its connections invalid (gate `connections`), unless the closed
/// loops of the cell's `evidence` show that as many requests in flight as there are connections
/// carry no more than half as many do: then the limit is the server's, and more connections would
/// only move the queue. A trial that keeps its SLO is left as it is. Pure.
void refuse_if_bound_by_connections(const std::vector<Point>& evidence, Trial& trial);

/// Fills in `limit` of a target's cell whose figures are estimated, and says so in its note where
/// it is not the server. Of several the one that the lowest rate met.
void name_limit(const Plan& plan, CellSummary& summary);

}  // namespace precipice
