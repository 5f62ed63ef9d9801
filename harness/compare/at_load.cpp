#include "harness/compare/at_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/format.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

/// A load that differs by less from a measured rate is that rate.
constexpr double kSame = 1.005;
/// An overload answers for loads this near to it: both are bounds only.
constexpr double kNear = 1.05;
/// The ends of what was measured answer for loads this far beyond them.
constexpr double kBeyond = 1.10;
/// Neighbouring rates further apart than this say little of what lies between them.
constexpr double kWidestGap = 3;

ValueAt nothing(std::string why) {
  ValueAt result;
  result.missing = std::move(why);
  return result;
}
ValueAt below_all(double rate, double lowest) {
  return nothing(fmt::format("{}/s lies below the lowest rate measured, {}/s", short_rate(rate),
                             short_rate(lowest)));
}
ValueAt above_all(double rate, double highest) {
  return nothing(fmt::format("{}/s lies above the highest rate measured, {}/s", short_rate(rate),
                             short_rate(highest)));
}
ValueAt in_a_gap(double rate, const MeasuredAt& low, const MeasuredAt& high) {
  return nothing(fmt::format("nothing was measured near {}/s, between {}/s and {}/s",
                             short_rate(rate), short_rate(low.rate_per_s),
                             short_rate(high.rate_per_s)));
}

double distance(const MeasuredAt& at, double rate) {
  return std::abs(std::log(at.rate_per_s / rate));
}
bool is_at(const MeasuredAt& at, double rate) {
  return at.rate_per_s <= rate * kSame && rate <= at.rate_per_s * kSame;
}
auto first_from(std::span<const MeasuredAt> measured, double rate) {
  return std::find_if(measured.begin(), measured.end(),
                      [rate](const MeasuredAt& at) { return at.rate_per_s >= rate; });
}

/// What the trials at one rate say of a response at another. Past saturation a response grows with
/// the window, so it is only known to be at least that; and so is that of a load above the rate
/// that answers, since responses grow with the load.
ValueAt response_by(const MeasuredAt& at, double rate) {
  const bool own = is_at(at, rate);
  const bool bound = at.overload || (!own && (at.lossy || rate > at.rate_per_s));
  return {at.value, at.value, bound ? kInfinity : at.value};
}

}  // namespace

ValueAt response_at(std::span<const MeasuredAt> measured, double rate) {
  if (measured.empty()) return nothing("no valid trial shows its responses");
  const auto above = first_from(measured, rate);
  if (above == measured.begin()) {
    if (above->rate_per_s <= rate * kBeyond) return response_by(*above, rate);
    return below_all(rate, above->rate_per_s);
  }
  const MeasuredAt& low = *(above - 1);
  if (above == measured.end()) {
    if (rate <= low.rate_per_s * kBeyond) return response_by(low, rate);
    return above_all(rate, low.rate_per_s);
  }
  const MeasuredAt& high = *above;
  if (is_at(low, rate)) return response_by(low, rate);
  if (is_at(high, rate)) return response_by(high, rate);
  if (low.overload || low.lossy || high.overload || high.lossy) {
    const bool near = (high.overload || high.lossy) && distance(high, rate) < distance(low, rate) &&
                      distance(high, rate) <= std::log(kNear);
    return response_by(near ? high : low, rate);
  }
  if (high.rate_per_s > low.rate_per_s * kWidestGap) return in_a_gap(rate, low, high);
  const double part = (rate - low.rate_per_s) / (high.rate_per_s - low.rate_per_s);
  const double by_log = std::exp((1 - part) * std::log(low.value) + part * std::log(high.value));
  // The other rule, exact for M/M/1. How far they differ is what the interpolation does not know.
  const double by_inverse = 1 / ((1 - part) / low.value + part / high.value);
  const double doubt = std::max(by_log / by_inverse, by_inverse / by_log);
  return {by_log, by_log / doubt, by_log * doubt};
}

ValueAt share_at(std::span<const MeasuredAt> measured, double rate) {
  if (measured.empty()) return nothing("no valid trial shows it");
  for (const MeasuredAt& at : measured) {
    if (is_at(at, rate)) return {at.value, at.value, at.value};
  }
  const auto above = first_from(measured, rate);
  if (above == measured.begin()) return below_all(rate, above->rate_per_s);
  const MeasuredAt& low = *(above - 1);
  if (above == measured.end()) return above_all(rate, low.rate_per_s);
  if (above->rate_per_s > low.rate_per_s * kWidestGap) return in_a_gap(rate, low, *above);
  const double part = (rate - low.rate_per_s) / (above->rate_per_s - low.rate_per_s);
  return {(1 - part) * low.value + part * above->value, std::min(low.value, above->value),
          std::max(low.value, above->value)};
}

}  // namespace precipice
