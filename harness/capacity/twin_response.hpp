// What a model adds to the response of the ideal queue.
#pragma once

#include <limits>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/twin.hpp"

namespace precipice {

/// The mean response of trials in three parts: S, the queueing that the ideal queue has on the very
/// arrivals and draws of each trial, and the rest. Medians over the trials; NaN without any.
struct TwinResponse {
  double queueing_ns = std::numeric_limits<double>::quiet_NaN();
  double added_ns = std::numeric_limits<double>::quiet_NaN();
  int trials = 0;
};

/// Of trials of an open loop. The twin serves first come, first served, with S as it is.
TwinResponse response_against_twin(const std::vector<Point>& trials, const Twin& twin);

}  // namespace precipice
