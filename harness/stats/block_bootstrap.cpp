#include "harness/stats/block_bootstrap.hpp"

#include <cmath>
#include <cstddef>

#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

/// All ways to share `left` draws among the blocks from `block` on. `ways` is the number of orders
/// in which what is already shared out can be drawn, times `left` factorial.
void list(std::vector<int>& times, std::size_t block, int left, double ways, double all,
          std::vector<BlockResample>& into) {
  if (block + 1 == times.size()) {
    times[block] = left;
    into.push_back({times, ways / std::tgamma(left + 1) / all});
    return;
  }
  for (int drawn = 0; drawn <= left; ++drawn) {
    times[block] = drawn;
    list(times, block + 1, left - drawn, ways / std::tgamma(drawn + 1), all, into);
  }
}

}  // namespace

std::vector<BlockResample> block_resamples(int blocks, std::uint64_t seed) {
  std::vector<BlockResample> resamples;
  if (blocks < 2) return resamples;
  const auto n = static_cast<std::size_t>(blocks);
  std::vector<int> times(n, 0);
  if (blocks <= kMostListedBlocks) {
    list(times, 0, blocks, std::tgamma(blocks + 1), std::pow(blocks, blocks), resamples);
    return resamples;
  }
  Random random(seed);
  for (int i = 0; i < kDrawnResamples; ++i) {
    times.assign(n, 0);
    for (std::size_t draw = 0; draw < n; ++draw) ++times[random.below(n)];
    resamples.push_back({times, 1.0 / kDrawnResamples});
  }
  return resamples;
}

double half_interval(const std::vector<double>& values, const std::vector<BlockResample>& resamples,
                     int blocks) {
  if (blocks < 2) return 0;
  double weight = 0, mean = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    weight += resamples[i].probability;
    mean += resamples[i].probability * values[i];
  }
  if (!(weight > 0)) return 0;
  mean /= weight;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]))
      squares += resamples[i].probability * (values[i] - mean) * (values[i] - mean);
  }
  const double n = blocks;
  return student_t(0.975, n - 1) * std::sqrt(squares / weight * n / (n - 1));
}

}  // namespace precipice
