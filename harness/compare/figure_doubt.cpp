#include "harness/compare/figure_doubt.hpp"

#include <algorithm>
#include <cmath>

namespace precipice {

FigureDoubt doubt_of(const FigureReading& reading, const std::vector<double>& resampled,
                     const std::vector<BlockResample>& resamples, int blocks) {
  if (!(reading.value > 0)) return {};
  double shown = 0;
  if (reading.has_interval && !resampled.empty()) {
    std::vector<double> logs;
    for (const double value : resampled) logs.push_back(std::log(value));
    shown = half_interval(logs, resamples, blocks);
  }
  return {std::max(0.0, std::log(reading.high / reading.value) - shown),
          std::max(0.0, std::log(reading.value / reading.low) - shown)};
}

}  // namespace precipice
