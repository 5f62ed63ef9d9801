// The JSON of a cell: what `capacity --json` prints and summary.json keeps. Fields are described in
// results/README.md.
#pragma once

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/slo_grid.hpp"
#include "harness/capacity/usl.hpp"
#include "harness/json.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// {"value","low","high","reached","log_deviation","degrees"}
Json to_json(const Estimate& estimate);
Json cliff_json(const Estimate& estimate);  ///< the same with "limited_by" and "resolution"
/// {"percentiles", "bounds_ns", "cliffs"}, the last by percentile: "value", "low", "high" by bound,
/// and as words separated by blanks "reached" and "limited_by" ("-": nothing does). null where the
/// grid is empty.
Json to_json(const SloGrid& grid);
/// {"lambda_per_s", "sigma", "kappa", "peak_n", "peak_per_s": estimates, "relative_rms",
/// "distinct_n", "blocks", "note"}.
Json to_json(const UslFit& fit);
/// {"cliff_per_s", "saturation_per_s": without interval, "disturbed", "errs", "cause", "text"};
/// null where there is none.
Json to_json(const Indicative& indicative);
/// What `capacity --json` prints.
Json capacity_json(const CellSummary& cell);

}  // namespace precipice
