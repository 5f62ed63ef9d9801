// A cell's figure as one number per block: what two cells are paired by.
#pragma once

#include <map>
#include <vector>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"

namespace precipice {

/// Logarithms by block. Empty where the figure of the whole cell is censored or unmeasured.
using BlockSeries = std::map<int, double>;

/// The saturation that each block's own trials show. Steps of the closed loop that only the search
/// of the first block took are left out where later blocks repeat one of them, so that every block
/// answers by the same trials.
BlockSeries saturation_by_block(const std::vector<Point>& points, const CliffOptions& options);

/// Jackknife pseudo-values of the logarithm of the cliff (J. W. Tukey, 1958): with L the cliff of
/// all n blocks and L_i that without block i, n log L - (n - 1) log L_i. One block's trials alone
/// place a percentile too roughly, and often outside the rates it tried; merged with all but one of
/// the others they do not. The mean of the values is the estimate less its bias to first order,
/// their scatter its standard error. A single block gives its own value. Where the cliff without a
/// block is known as a bound only, the bound stands for it; empty when that is so for more than a
/// third of the blocks.
BlockSeries cliff_by_block(const std::vector<Point>& points, const CliffOptions& options);

}  // namespace precipice
