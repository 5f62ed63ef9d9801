#include "harness/compare/block_series.hpp"

#include <cmath>
#include <cstdint>
#include <set>

#include "harness/stats/estimate.hpp"

namespace precipice {
namespace {

/// Figures without the intervals, which cost a thousand resamples.
CellResult figures(const std::vector<Point>& points, CliffOptions options) {
  options.bootstrap = 0;
  return analyse(points, options);
}

std::set<int> blocks_of(const std::vector<Point>& points) {
  std::set<int> blocks;
  for (const Point& point : points) {
    if (point.valid && point.closed == 0 && point.phase != Phase::coarse)
      blocks.insert(point.block);
  }
  return blocks;
}

bool measured(const Estimate& estimate) {
  return estimate.reached == Reached::ok && estimate.value > 0;
}

}  // namespace

BlockSeries saturation_by_block(const std::vector<Point>& points, const CliffOptions& options) {
  BlockSeries series;
  for (const auto& [block, goodput] : figures(points, options).saturation_of_block_per_s)
    series[block] = std::log(goodput);
  if (series.size() > 1) return series;
  series.clear();
  const std::set<int> blocks = blocks_of(points);
  std::map<std::uint64_t, std::set<int>> repeated;
  bool any = false;
  for (const Point& point : points) {
    if (!point.valid || point.closed == 0) continue;
    repeated[point.closed].insert(point.block);
    any = any || repeated[point.closed].size() > 1;
  }
  for (const int block : blocks) {
    std::vector<Point> own;
    for (const Point& point : points) {
      if (point.block != block) continue;
      if (any && point.closed > 0 && repeated[point.closed].size() < 2) continue;
      own.push_back(point);
    }
    const Estimate saturation = figures(own, options).saturation;
    if (measured(saturation)) series[block] = std::log(saturation.value);
  }
  return series;
}

BlockSeries cliff_by_block(const std::vector<Point>& points, const CliffOptions& options) {
  const CellResult all = figures(points, options);
  const Estimate whole = all.cliff;
  if (!measured(whole)) return {};
  if (!all.cliff_without_block_per_s.empty()) {
    const auto count = static_cast<double>(all.cliff_without_block_per_s.size());
    BlockSeries series;
    for (const auto& [block, without] : all.cliff_without_block_per_s)
      series[block] = count * std::log(all.cliff_of_all_per_s) - (count - 1) * std::log(without);
    return series;
  }
  const std::set<int> blocks = blocks_of(points);
  const auto n = static_cast<double>(blocks.size());
  if (blocks.size() == 1) return {{*blocks.begin(), std::log(whole.value)}};
  BlockSeries series;
  std::size_t bounds = 0;
  for (const int block : blocks) {
    std::vector<Point> others;
    for (const Point& point : points) {
      if (point.block != block) others.push_back(point);
    }
    const Estimate without = figures(others, options).cliff;
    if (!(without.value > 0)) return {};
    if (!measured(without) && 3 * ++bounds > blocks.size()) return {};
    series[block] = n * std::log(whole.value) - (n - 1) * std::log(without.value);
  }
  return series;
}

}  // namespace precipice
