// Points of an M/M/1 queue by its closed forms.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "models/random.hpp"

namespace precipice::testing {

inline constexpr double kMs = 1e6;

inline CliffOptions options_for(double slo_ms = 10) {
  CliffOptions options;
  options.slo_ns = slo_ms * kMs;
  options.service_time_ns = kMs;
  options.bootstrap = 200;
  return options;
}

/// M/M/1 with S = 1 ms as its closed forms have it, with multiplicative noise.
inline Point mm1(double rate, int block, double noise = 0, Random* random = nullptr) {
  Point point;
  point.block = block;
  point.rate_per_s = rate;
  point.requests = 20'000;
  point.valid = true;
  point.stable = rate < 1000;
  const double load = rate / 1000;
  const double factor =
      random == nullptr ? 1 : std::exp(noise * (2 * random->uniform() - 1) * std::sqrt(3.0));
  point.goodput_per_s = std::min(rate, 1000.0);
  point.slo_percentile_ns = point.stable ? factor * std::log(100.0) * kMs / (1 - load) : 1e12;
  point.mean_response_ns = point.stable ? kMs / (1 - load) : 1e12;
  point.loss = point.stable ? 0 : 0.3;
  return point;
}

inline const std::vector<double> kRates = {54,  162, 270, 378, 432, 464,  497, 529,
                                           567, 616, 700, 780, 850, 1200, 1500};

inline std::vector<Point> mm1_blocks(int blocks, double noise = 0, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<Point> points;
  for (int block = 0; block < blocks; ++block) {
    for (const double rate : kRates) points.push_back(mm1(rate, block, noise, &random));
  }
  return points;
}

}  // namespace precipice::testing
