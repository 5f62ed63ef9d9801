// A figure at a load, from what was measured at some rates.
#pragma once

#include <limits>
#include <span>
#include <string>

namespace precipice {

/// What the trials at one rate show of a figure.
struct MeasuredAt {
  double rate_per_s = 0;
  double value = 0;
  /// The number in flight grew, or what was not answered was cut off at this value or below: a
  /// response is at least this.
  bool overload = false;
  /// More requests were lost than a cliff allows. Its value is that of what was answered, and tells
  /// nothing of other rates.
  bool lossy = false;
};

/// Of the load that was asked for. NaN, and why, where it is not known.
struct ValueAt {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();  ///< infinity: at least the value
  std::string missing{};
};

/// A response time. A rate within 0.5% of the load answers for it; between two rates that keep up
/// and lose nothing the logarithm is interpolated, and how far the reciprocal (exact for M/M/1)
/// differs is the doubt; elsewhere the rate below bounds it. `measured` ascends by rate; `rate`
/// > 0. Pure.
ValueAt response_at(std::span<const MeasuredAt> measured, double rate_per_s);

/// A share of the requests, such as a loss. A rate within 0.5% of the load answers for it; between
/// two rates it is interpolated, and may be anything between theirs. Pure.
ValueAt share_at(std::span<const MeasuredAt> measured, double rate_per_s);

}  // namespace precipice
