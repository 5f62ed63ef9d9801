// What is not known of a figure beside its scatter between blocks.
#pragma once

#include <vector>

#include "harness/compare/claim_figures.hpp"
#include "harness/stats/block_bootstrap.hpp"

namespace precipice {

/// Logarithms from a figure's value, >= 0; infinite on a side where the figure is censored.
struct FigureDoubt {
  double up = 0, down = 0;
};

/// What the published interval of a figure holds that resampling its blocks does not show: how it
/// was censored, the two rates between which a stability bound lies, the doubt of an interpolation.
/// `resampled` are its values in `resamples`, or nothing where there was no resampling. Zero of a
/// value that is not positive.
FigureDoubt doubt_of(const FigureReading& reading, const std::vector<double>& resampled,
                     const std::vector<BlockResample>& resamples, int blocks);

}  // namespace precipice
