// All points of a cell, gathered by rate, and merged over any choice of blocks: what a bootstrap
// over blocks asks for a thousand times.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/capacity/point.hpp"

namespace precipice {

/// How often each block counts in a resample.
using BlockWeights = std::vector<int>;

/// Of each response bound that is asked about.
using PerBound = std::array<double, 3>;

/// One trial of a group.
struct GroupMember {
  std::size_t block = 0;  ///< index among the blocks; kEveryBlock for a plateau of no block's
  double goodput_per_s = 0, mean_ns = 0, percentile_ns = 0, loss = 0, requests = 0;
  double responses = 0;  ///< in its histogram
  PerBound beyond{};     ///< responses above each bound
  /// Responses times the luck of the trial's sequence, see TwinFit: what `beyond` is a share of.
  PerBound exposure{};
  BatchScatter scatter;
  bool stable = false;
  const Point* point = nullptr;  ///< it was made from, while that lives
  /// Counts of responses up to each edge of the group's `edges_ns`, cumulative.
  std::vector<double> cumulative;
  static constexpr std::size_t kEveryBlock = static_cast<std::size_t>(-1);
};

/// The trials at one rate (or of one closed loop), one per block.
struct RateGroup {
  double rate_per_s = 0;
  std::uint64_t closed = 0;
  std::vector<GroupMember> members;
  std::vector<double> edges_ns;  ///< upper edges of the buckets that a merged percentile can be in

  /// A group merged over the blocks of a resample; percentiles from the merged histogram.
  struct Merged {
    double rate_per_s = 0, goodput_per_s = 0, mean_ns = 0, percentile_ns = 0, loss = 0,
           requests = 0;
    double responses = 0;  ///< that `beyond` is counted among
    PerBound beyond{}, exposure{};
    double blocks = 0;       ///< merged; a block that was drawn twice counts twice
    PerBound blocks_over{};  ///< of them, with more beyond each bound than the percentile allows
    bool stable = false;
    std::uint64_t closed = 0;
  };
  bool overloaded() const;  ///< no trial was stable
  /// nullopt when the resample holds none of its blocks. Goodput is the median over blocks.
  std::optional<Merged> merge(const BlockWeights& weights, double percentile) const;
};

struct RateGroups {
  std::vector<RateGroup> open;    ///< ascending by rate
  std::vector<RateGroup> closed;  ///< ascending by N
  std::size_t blocks = 0;
  std::vector<int> block_ids;  ///< of each, ascending

  /// Valid points only. Coarse points count only where nothing else was measured: they are short.
  /// A trial without a histogram has as many responses beyond a bound as an exponential tail
  /// through its percentile.
  static RateGroups gather(const std::vector<Point>& points, double percentile,
                           const PerBound& bounds_ns = {});
};

}  // namespace precipice
