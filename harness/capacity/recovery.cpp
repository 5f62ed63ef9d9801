#include "harness/capacity/recovery.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {

Estimate recovery(std::span<const Record> records, double saturation_per_s) {
  Estimate estimate;
  if (!(saturation_per_s > 0)) return estimate;
  double rate = 0;
  for (const Record& record : records) {
    if (record.used && record.phase == Phase::overload)
      rate = std::max(rate, record.trial.request.rate_per_s);
  }
  std::vector<double> ratios, bounds;
  for (const Record& record : records) {
    const Trial& trial = record.trial;
    if (!record.used || record.phase != Phase::overload || trial.stable ||
        trial.request.rate_per_s < rate || static_cast<double>(trial.backlog) < kLeastBacklog) {
      continue;
    }
    const double ratio = trial.drain_s * saturation_per_s / static_cast<double>(trial.backlog);
    (trial.drained ? ratios : bounds).push_back(ratio);
  }
  if (ratios.empty() && bounds.empty()) return estimate;
  if (bounds.size() >= ratios.size()) {
    estimate.reached = Reached::above;
    estimate.value = estimate.low = *std::max_element(bounds.begin(), bounds.end());
    estimate.high = std::numeric_limits<double>::infinity();
    return estimate;
  }
  // A block that was not drained took at least that long: as a value it keeps the median honest
  // while such blocks are the fewer.
  ratios.insert(ratios.end(), bounds.begin(), bounds.end());
  estimate.reached = Reached::ok;
  estimate.value = median(ratios);
  if (ratios.size() > 1) {
    std::vector<double> logs;
    for (const double ratio : ratios) logs.push_back(std::log(ratio));
    const auto n = static_cast<double>(logs.size());
    const double relative = student_t(0.975, n - 1) * standard_deviation(logs) / std::sqrt(n);
    estimate.low = estimate.value * std::exp(-relative);
    estimate.high = estimate.value * std::exp(relative);
  }
  return estimate;
}

}  // namespace precipice
