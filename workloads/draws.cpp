#include "workloads/draws.hpp"

#include <numeric>
#include <string>
#include <utility>

#include "models/options.hpp"
#include "models/random.hpp"

namespace precipice {

std::vector<std::uint32_t> shuffled_ranks(std::uint64_t salt) {
  std::vector<std::uint32_t> ranks(kTabulatedSeeds);
  std::iota(ranks.begin(), ranks.end(), 0U);
  Random random(salt);
  for (std::size_t i = ranks.size() - 1; i > 0; --i) {
    std::swap(ranks[i], ranks[random.below(i + 1)]);
  }
  return ranks;
}

Draws::Draws(const Distribution& distribution, Nanos mean, std::uint64_t salt)
    : distribution_(distribution), mean_ns_(static_cast<double>(mean.count())), salt_(salt) {
  ns_.reserve(kTabulatedSeeds);
  double sum = 0;
  for (const std::uint32_t rank : shuffled_ranks(salt)) {
    const double p = (rank + 0.5) / static_cast<double>(kTabulatedSeeds);
    ns_.push_back(distribution.quantile(p));
    sum += ns_.back();
  }
  if (!(sum > 0)) {
    throw UsageError("dist: '" + distribution.to_string() + "' is 0 for every one of the " +
                     std::to_string(kTabulatedSeeds) + " seeds; give the long value more weight");
  }
  // Midpoints underrate the last slice of a heavy tail: bring the mean back to the one named.
  const double scale = static_cast<double>(mean.count()) * static_cast<double>(ns_.size()) / sum;
  for (double& value : ns_) value *= scale;
}

double Draws::ns_of(const Request& request, std::uint64_t which) const {
  if (!free_) return ns(wait_seed(request) + kStride * which);
  const std::uint64_t attempt = (which << 16) + request.attempt;
  Random random(mix64(mix64(mix64(request.id) + request.seed + salt_) + attempt));
  return mean_ns_ * distribution_.unit(random);
}

}  // namespace precipice
