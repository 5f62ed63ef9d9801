#include "harness/report/capacity_so_far.hpp"

#include <algorithm>

#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"

namespace precipice {

void CapacitySoFar::take(const Record& record) {
  if (!seen_.emplace(record.key, true).second) return;
  std::vector<Series>& all = workloads_[record.workload];
  auto found = std::find_if(all.begin(), all.end(),
                            [&](const Series& each) { return each.series == record.series; });
  if (found == all.end()) found = all.insert(all.end(), Series{.series = record.series});
  ++trials_;
  ++found->trials;
  const Trial& trial = record.trial;
  if (!trial.valid) {
    ++invalid_;
    ++found->invalid;
    return;
  }
  found->carries_per_s = std::max(found->carries_per_s, trial.goodput_per_s);
  const bool holds = trial.request.closed == 0 && record.slo_ns > 0 && trial.stable &&
                     static_cast<double>(trial.slo_percentile_ns) <= record.slo_ns &&
                     trial.loss() <= kMaxLossDefault;
  if (holds) found->holds_per_s = std::max(found->holds_per_s, trial.request.rate_per_s);
}

std::vector<CapacitySoFar::Series> CapacitySoFar::of_workload(const std::string& workload) const {
  const auto found = workloads_.find(workload);
  return found == workloads_.end() ? std::vector<Series>{} : found->second;
}

}  // namespace precipice
