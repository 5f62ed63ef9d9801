// After an overload: how long a model needs to work off what piled up.
#pragma once

#include <span>

#include "harness/capacity/record.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {

/// Time to drain the backlog of an overload over backlog / saturation, since nothing is offered
/// afterwards: 1 is ideal, more is a model that its own backlog slows. From the used trials of the
/// highest overload rate, one ratio a block; median with a t interval on the logarithm. `above`
/// with the greatest lower bound where half of the blocks or more were not drained in time;
/// `unmeasured` without an overload, a saturation or a backlog of at least kLeastBacklog.
Estimate recovery(std::span<const Record> records, double saturation_per_s);

/// Below it the ratio measures the last request's own service instead of a queue.
inline constexpr double kLeastBacklog = 20;

}  // namespace precipice
