// A histogram as JSON: its buckets without loss, or coarsened.
#pragma once

#include "harness/json.hpp"
#include "harness/stats/histogram.hpp"

namespace precipice {

/// {"overflow": n, "buckets": [index delta, count, index delta, count, ...]}; the first delta is
/// from 0. Bucket bounds are those of Histogram::bounds.
Json to_json(const Histogram& histogram);
/// Throws std::exception where it is none.
Histogram histogram_from_json(const Json& json);
/// The same counts on a coarser grid of 32 steps per power of two (3%), for time slices.
Histogram coarsened(const Histogram& histogram);

}  // namespace precipice
