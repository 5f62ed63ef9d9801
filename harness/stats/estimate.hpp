// A figure with its interval, or with how it was censored.
#pragma once

#include <cstdint>
#include <limits>

namespace precipice {

/// What an estimate's value is: the figure itself, or a bound on a censored one.
enum class Reached : std::uint8_t {
  unmeasured,  ///< no valid points; the value is NaN
  ok,
  below,  ///< fails at the lowest rate tried, which is the value
  above,  ///< not reached; the value is the highest rate offered
};
/// The names of the enumerators, as in every file.
const char* to_string(Reached reached);

/// What ends a cliff.
enum class LimitedBy : std::uint8_t { none, slo, saturation };
/// "slo", "saturation"; "" for none.
const char* to_string(LimitedBy limit);

/// A number with its 95% interval, or how it was censored. One block shows nothing of what differs
/// from block to block, so a figure of one has no interval: low and high are NaN. Nor has a cliff
/// from windows shorter than twenty times its bound.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  Reached reached = Reached::unmeasured;
  LimitedBy limited_by = LimitedBy::none;  ///< of cliffs
  double resolution = 0;  ///< relative: the smallest step that the trials can tell apart
  /// Standard deviation of the estimate's logarithm, from all sources of scatter; NaN: unknown.
  /// What a comparison of two estimates adds in squares.
  double log_deviation = std::numeric_limits<double>::quiet_NaN();
  double degrees = std::numeric_limits<double>::quiet_NaN();  ///< of freedom, of log_deviation
};

}  // namespace precipice
