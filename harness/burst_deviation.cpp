#include "harness/burst_deviation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace precipice {
namespace {

// Requests of a burst, in units of u / (1 - u)^2: about 4 for one server with exponential service,
// 2 with a fixed one. It is measured at the rates within this share of the one that is asked about;
// this is taken where those do not tell.
constexpr double kUsualBurst = 4;
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

double BurstDeviation::scale(double rate_per_s) const {
  double bursts = 0, loads = 0;
  for (const RateGroup& group : open_) {
    if (std::abs(group.rate_per_s / rate_per_s - 1) > kBurstsWithin) continue;
    const double burst = scatter_of(group).values_a_burst();
    const double unit = unit_of_bursts(group.rate_per_s / saturation_);
    if (!std::isfinite(burst)) continue;
    // A burst scatters as its square does, so that of every rate counts alike.
    bursts += burst / unit;
    loads += 1;
  }
  return loads > 0 ? bursts / loads : kUsualBurst;
}

double BurstDeviation::at(double rate_per_s, double requests) const {
  const double length = std::max(1.0, scale(rate_per_s) * unit_of_bursts(rate_per_s / saturation_));
  return std::sqrt(length / std::max(1.0, above_ * requests));
}

double BurstDeviation::at(const Crossing& crossing, double slo_ns, double requests) const {
  const std::vector<double>& rate = crossing.fit_rate;
  if (rate.empty()) return at(crossing.value, requests);
  double weight = 0, mean = 0, squares = 0;
  for (std::size_t i = 0; i < rate.size(); ++i) {
    weight += crossing.fit_weight[i];
    mean += crossing.fit_weight[i] * rate[i];
  }
  mean /= weight;
  for (std::size_t i = 0; i < rate.size(); ++i)
    squares += crossing.fit_weight[i] * (rate[i] - mean) * (rate[i] - mean);
  double variance = 0;
  for (std::size_t i = 0; i < rate.size(); ++i) {
    const double moves = crossing.fit_weight[i] *
                         (1 / weight + (crossing.value - mean) * (rate[i] - mean) / squares);
    const double part =
        moves * crossing.fit_inverse[i] * slo_ns * at(rate[i], crossing.fit_requests[i]);
    variance += part * part;
  }
  return std::sqrt(variance);
}

}  // namespace precipice
