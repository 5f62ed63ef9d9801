// The resamples of a bootstrap over blocks, drawn once for all cells of a run: blocks are paired,
// so what one block had in common (the machine's speed, a neighbour) cancels in a ratio.
#pragma once

#include <cstdint>
#include <vector>

namespace precipice {

/// How often each block was drawn, and how probable that is among the resamples.
struct BlockResample {
  std::vector<int> times;
  double probability = 0;
};

/// Up to this many blocks every resample is listed (there are 126 for five), with its multinomial
/// probability: the bootstrap without its own noise. Of more blocks kDrawnResamples are drawn.
inline constexpr int kMostListedBlocks = 5;
inline constexpr int kDrawnResamples = 200;

/// None for fewer than two blocks. Probabilities add up to 1.
std::vector<BlockResample> block_resamples(int blocks, std::uint64_t seed);

/// Half a 95% interval from the values that the resamples gave: Student's t with n - 1 degrees of
/// freedom, times the values' deviation, times sqrt(n / (n - 1)), because resampling n blocks with
/// replacement shows (n - 1) / n of the variance (B. Efron, 1982). Values that are not finite are
/// left out.
double half_interval(const std::vector<double>& values, const std::vector<BlockResample>& resamples,
                     int blocks);

}  // namespace precipice
