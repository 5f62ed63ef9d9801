// A figure with its interval, or with how it was censored.
#pragma once

#include <limits>
#include <string>

namespace precipice {

/// A number with its 95% interval, or how it was censored. One block shows nothing of what differs
/// from block to block, so a figure of one has no interval: low and high are NaN. Nor has a cliff
/// from windows shorter than twenty times its bound. `reached`: "ok", "below" (fails at the lowest
/// rate tried; value is that rate), "above" (not reached; value is the highest rate offered),
/// "unmeasured" (no valid points; value is NaN).
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  std::string reached = "unmeasured";
  std::string limited_by;  ///< cliffs: "slo" or "saturation"
  double resolution = 0;   ///< relative: the smallest step that the trials can tell apart
};

}  // namespace precipice
