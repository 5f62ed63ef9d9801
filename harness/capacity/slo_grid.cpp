#include "harness/capacity/slo_grid.hpp"

#include <algorithm>
#include <cmath>

namespace precipice {
namespace {

// What a report lets its reader choose from.
constexpr double kPercentiles[] = {50, 90, 95, 99, 99.9};
constexpr int kMostBounds = 32;
constexpr int kMostStepsPerDoubling = 12;
// Enough: they give an interval's half width within 5%. With them a cell of the reference runs (4
// blocks, some 40 trials) took 0.1 s of CPU time, of suite queues (5 blocks, 200,000 requests a
// trial) 0.35 s.
constexpr int kDraws = 200;

struct Range {
  double low = 0, high = 0;
};

/// The lowest and the highest percentile of the stable trials. Coarse trials count only where no
/// other was made, as in RateGroups: they are short.
Range measured_percentiles(const std::vector<Point>& points, double lowest, double highest) {
  Range coarse, range;
  for (const Point& point : points) {
    if (!point.valid || !point.stable || point.closed > 0 || !point.responses ||
        point.responses->count() == 0)
      continue;
    Range& into = point.phase == Phase::coarse ? coarse : range;
    const auto low =
        static_cast<double>(std::max<std::int64_t>(point.responses->percentile(lowest), 1));
    into.low = into.low > 0 ? std::min(into.low, low) : low;
    into.high = std::max(into.high, static_cast<double>(point.responses->percentile(highest)));
  }
  return range.high > 0 ? range : coarse;
}

struct Bounds {
  std::vector<double> ns;
  std::size_t own = 0;  ///< the cell's SLO
  int steps_per_doubling = 1;
};

/// Steps are a whole number to the doubling, so that each bound's half and double are in the grid.
Bounds bounds_around(double slo_ns, const Range& range) {
  constexpr double kBeyond = 1.001;  // a bucket of the histogram
  const double down = range.low > 0 ? std::min(0.0, std::log2(range.low / kBeyond / slo_ns)) : 0;
  const double up = range.high > 0 ? std::max(0.0, std::log2(range.high * kBeyond / slo_ns)) : 0;
  Bounds bounds;
  for (int steps = kMostStepsPerDoubling; steps > 0; --steps) {
    const int first = static_cast<int>(std::floor(down * steps));
    const int last = static_cast<int>(std::ceil(up * steps));
    if (last - first >= kMostBounds && steps > 1) continue;
    bounds.steps_per_doubling = steps;
    bounds.own = static_cast<std::size_t>(-first);
    for (int i = first; i <= last; ++i)
      bounds.ns.push_back(slo_ns * std::exp2(static_cast<double>(i) / steps));
    break;
  }
  return bounds;
}

/// The points with their percentiles at another one. Without a histogram none is known.
std::vector<Point> at_percentile(std::vector<Point> points, double percentile) {
  for (Point& point : points) {
    if (!point.responses) {
      point.valid = false;
    } else if (point.responses->count() > 0) {
      point.slo_percentile_ns = static_cast<double>(point.responses->percentile(percentile));
    }
  }
  return points;
}

/// One analysis reads the cliff at a bound, its half and its double off the same resamples.
std::vector<Estimate> cliffs_at(const Bounds& bounds, const std::vector<Point>& points,
                                CliffOptions options) {
  options.service_time_ns = 0;
  options.own_bound = false;
  options.bootstrap = std::min(options.bootstrap, kDraws);
  const std::size_t count = bounds.ns.size();
  const auto octave = static_cast<std::size_t>(bounds.steps_per_doubling);
  std::vector<Estimate> cliffs(count);
  for (std::size_t first = 0; first < octave; ++first) {
    for (std::size_t low = first; low < count; low += 3 * octave) {
      options.slo_ns = 2 * bounds.ns[low];
      const CellResult result = analyse(points, options);
      const Estimate* const read[] = {&result.cliff5, &result.cliff, &result.cliff20};
      for (std::size_t i = 0; i < std::size(read) && low + i * octave < count; ++i)
        cliffs[low + i * octave] = *read[i];
    }
  }
  return cliffs;
}

/// From the cell's own bound outwards, each bound with its inner neighbour.
void order_for_display(std::vector<Estimate>& cliffs, std::size_t own, const Estimate& saturation) {
  CellResult pair;
  pair.saturation = saturation;
  for (std::size_t i = own; i > 0; --i) {
    pair.cliff = cliffs[i];
    pair.cliff5 = cliffs[i - 1];
    cliffs[i - 1] = ordered_for_display(pair).cliff5;
  }
  pair.cliff5 = Estimate();
  for (std::size_t i = own; i + 1 < cliffs.size(); ++i) {
    pair.cliff = cliffs[i];
    pair.cliff20 = cliffs[i + 1];
    cliffs[i + 1] = ordered_for_display(pair).cliff20;
  }
}

}  // namespace

SloGrid slo_grid(const std::vector<Point>& points, const CliffOptions& options,
                 const CellResult& result) {
  SloGrid grid;
  if (!(options.slo_ns > 0)) return grid;
  grid.percentiles.assign(std::begin(kPercentiles), std::end(kPercentiles));
  if (std::find(grid.percentiles.begin(), grid.percentiles.end(), options.slo_percentile) ==
      grid.percentiles.end()) {
    grid.percentiles.push_back(options.slo_percentile);
    std::sort(grid.percentiles.begin(), grid.percentiles.end());
  }
  const Bounds bounds = bounds_around(
      options.slo_ns,
      measured_percentiles(points, grid.percentiles.front(), grid.percentiles.back()));
  grid.bounds_ns = bounds.ns;
  for (const double percentile : grid.percentiles) {
    const bool own = percentile == options.slo_percentile;
    CliffOptions here = options;
    here.slo_percentile = percentile;
    std::vector<Estimate> cliffs =
        cliffs_at(bounds, own ? points : at_percentile(points, percentile), here);
    if (own) {
      cliffs[bounds.own] = result.cliff;
    } else {
      CellResult alone;
      alone.saturation = result.saturation;
      alone.cliff = cliffs[bounds.own];
      cliffs[bounds.own] = ordered_for_display(alone).cliff;
    }
    order_for_display(cliffs, bounds.own, result.saturation);
    grid.cliffs.push_back(std::move(cliffs));
  }
  return grid;
}

}  // namespace precipice
