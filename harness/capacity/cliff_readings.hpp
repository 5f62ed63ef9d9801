// What is read off one resample of a cell's blocks: goodput, crossings, knee, each one number.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/capacity/cell_result.hpp"
#include "harness/capacity/dispersion.hpp"
#include "harness/capacity/knee.hpp"
#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/slo_crossing.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

// A loss grows as a power of the rate, which the lossy points show and which is believed within
// these bounds.
inline constexpr double kLeastLossPower = 2, kMostLossPower = 8;

/// A cell's points, merged over the blocks that were drawn.
struct CliffResample {
  std::vector<RateGroup::Merged> open, closed;
};

/// What is read off one resample.
struct CliffReadings {
  double saturated_rate = 0;           ///< of the group whose goodput it is; 0: a closed loop
  std::uint64_t saturated_closed = 0;  ///< of this many
  double saturation = kNaN, retention = kNaN;
  Knee knee;
  double loss_power = kNaN;  ///< the loss goes with this power of the rate; NaN: nothing is lost
  SloCrossing cliff, cliff5, cliff20;
};

/// Whether the largest closed loop carried more than every smaller one.
bool loop_still_grew(const std::vector<Point>& points);

CliffResample draw_blocks(const RateGroups& groups, const BlockWeights& weights,
                          double slo_percentile);

/// The highest of several noisy medians is biased upwards; among saturated ones that cannot be
/// told apart from it, the one that rests on most requests speaks. nullptr without a point.
const RateGroup::Merged* highest_goodput(const CliffResample& sample);

/// `bounds_ns`: of the cliff, of the tighter and of the looser one, as in the groups.
CliffReadings read_resample(const CliffResample& sample, const CliffOptions& options,
                            const PerBound& bounds_ns, const Dispersion& bursts,
                            const TwinFits& twins);

}  // namespace precipice
