// What each seed draws. A run has only kTabulatedSeeds different requests, so independent draws
// would miss their mean (by 1.5% for an exponential) and the same few would be the tail of every
// trial. Instead the draws are stratified: the seeds, in an order shuffled by a salt, take the
// midpoints of equal slices of the distribution. Waits can be drawn freely too, since no digest
// depends on them.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "models/distribution.hpp"
#include "models/random.hpp"
#include "models/request.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// A random order of the seeds: the rank of each, 0 .. kTabulatedSeeds - 1. Different salts give
/// independent orders.
std::vector<std::uint32_t> shuffled_ranks(std::uint64_t salt);

/// What an attempt draws its waits by: a further attempt of a request draws anew.
inline std::uint64_t wait_seed(const Request& request) {
  return request.attempt == 0 ? request.seed : mix64(request.seed + mix64(request.attempt));
}

/// One duration per seed, with exactly the mean named. The shape is resolved to 1/kTabulatedSeeds:
/// rarer values (the far tail of a pareto, a mode with a smaller probability) occur in free draws
/// only. Safe to share while draw_freely is not called.
class Draws {
 public:
  Draws(const Distribution& distribution, Nanos mean, std::uint64_t salt);

  /// Whether `of` draws independently for each request, instead of by its seed's rank.
  void draw_freely(bool free) { free_ = free; }
  /// The wait number `which` of an attempt.
  Nanos of(const Request& request, std::uint64_t which = 0) const {
    return Nanos(static_cast<std::int64_t>(ns_of(request, which) + 0.5));
  }
  /// The same in nanoseconds, not rounded.
  double ns_of(const Request& request, std::uint64_t which = 0) const;
  /// By the seed: all seeds together take each draw once for each `which`, and draws of one seed
  /// are independent, as seeds are in random order.
  Nanos stratified(std::uint64_t seed, std::uint64_t which) const {
    return (*this)[seed + kStride * which];
  }

  /// In nanoseconds. Seeds repeat after kTabulatedSeeds.
  double ns(std::uint64_t seed) const { return ns_[seed % kTabulatedSeeds]; }
  Nanos operator[](std::uint64_t seed) const {
    return Nanos(static_cast<std::int64_t>(ns(seed) + 0.5));
  }

 private:
  /// Keeps requests with neighbouring seeds from sharing draws.
  static constexpr std::uint64_t kStride = 977;

  std::vector<double> ns_;
  Distribution distribution_;
  double mean_ns_;
  std::uint64_t salt_;
  bool free_ = false;
};

}  // namespace precipice
