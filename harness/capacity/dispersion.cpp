#include "harness/capacity/dispersion.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace precipice {
namespace {

// Requests of a burst, in units of u / (1 - u)^2: 4.2 for one server with exponential service, 2
// with a fixed one, 5.7 with a very variable one, 3.1 for two servers, 2.3 with sharing. It is
// measured at the rates within this share of the one that is asked about, and counts as this many
// bursts that were measured.
constexpr double kUsualBurst = 3, kEnoughBursts = 500;
constexpr double kBurstsWithin = 0.25;

double unit_of_bursts(double share) {
  const double load = std::clamp(share, 0.02, 0.98);
  return load / ((1 - load) * (1 - load));
}

}  // namespace

PooledScatter scatter_of(const RateGroup& group) {
  PooledScatter pooled;
  for (const GroupMember& member : group.members) {
    if (member.stable) pooled.add(member.responses, member.mean_ns, member.scatter);
  }
  return pooled;
}

Dispersion::Dispersion(const std::vector<RateGroup>& open, double saturation_per_s,
                       double percentile)
    : saturation_(saturation_per_s), above_(1 - percentile / 100) {
  for (const RateGroup& group : open) {
    const PooledScatter scatter = scatter_of(group);
    const double burst = scatter.autocorrelation_time();
    if (!std::isfinite(burst)) continue;
    measured_.push_back({.rate_per_s = group.rate_per_s,
                         .units = burst / unit_of_bursts(group.rate_per_s / saturation_),
                         .bursts = scatter.values() / burst});
  }
}

double Dispersion::index_of_dispersion(double rate_per_s) const {
  double logs = kEnoughBursts * std::log(kUsualBurst), bursts = kEnoughBursts;
  double units = 0, rates = 0, seen = 0;
  for (const Measured& each : measured_) {
    if (std::abs(each.rate_per_s / rate_per_s - 1) > kBurstsWithin) continue;
    // A burst scatters as its square does, so that of every rate counts alike.
    units += each.units;
    seen += each.bursts;
    rates += 1;
  }
  if (rates > 0) {
    logs += seen * std::log(units / rates);
    bursts += seen;
  }
  return std::max(1.0, std::exp(logs / bursts) * unit_of_bursts(rate_per_s / saturation_));
}

double Dispersion::at(double rate_per_s, double requests) const {
  return std::sqrt(index_of_dispersion(rate_per_s) / std::max(1.0, above_ * requests));
}

}  // namespace precipice
