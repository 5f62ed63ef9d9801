#include "harness/host/neighbour.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace precipice {
namespace {

constexpr double kAllowedCpus = 0.05;
constexpr double kDeviations = 4;
// Of three fields, each cut to 10 ms at both ends: three times twice the variance of a uniform
// error.
constexpr double kRoundingVariance = 3 * 2 * 10e6 * 10e6 / 12;

}  // namespace

double OtherProcesses::bound_ns() const {
  return kAllowedCpus * elapsed_ns + kDeviations * deviation_ns;
}

OtherProcesses& OtherProcesses::operator+=(const OtherProcesses& other) {
  if (std::isnan(other.took_ns)) return *this;
  took_ns += other.took_ns;
  deviation_ns = std::hypot(deviation_ns, other.deviation_ns);
  elapsed_ns += other.elapsed_ns;
  return *this;
}

OtherProcesses neighbours(const SideTime& side) {
  OtherProcesses result;
  if (side.busy_ns.empty() || side.elapsed_ns <= 0) return result;
  double busy = 0, variance = 0;
  const double ticks = side.elapsed_ns / side.tick_ns;
  for (const double each : side.busy_ns) {
    const double share = std::clamp(each / side.elapsed_ns, 0.0, 1.0);
    busy += each;
    variance += ticks * share * (1 - share) * side.tick_ns * side.tick_ns + kRoundingVariance;
  }
  result.took_ns = busy - side.own_ns;
  result.deviation_ns = std::sqrt(variance);
  result.elapsed_ns = side.elapsed_ns;
  return result;
}

double sample_interval_ns() {
  timespec resolution{};
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0) return 10e6;
  return std::clamp(
      static_cast<double>(resolution.tv_sec) * 1e9 + static_cast<double>(resolution.tv_nsec), 1e6,
      10e6);
}

}  // namespace precipice
