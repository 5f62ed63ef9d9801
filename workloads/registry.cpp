#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "models/did_you_mean.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice {

Task<void> Workload::run_many(Io& io, std::span<const Request> requests,
                              std::span<Outcome> outcomes) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Request request = requests[i];
    outcomes[i] = co_await run(io, request);
  }
}

WorkloadInfo cpu_workload();
WorkloadInfo sleep_workload();
WorkloadInfo file_workload();
WorkloadInfo rpc_workload();
WorkloadInfo redis_workload();
WorkloadInfo postgres_workload();
WorkloadInfo mixed_workload();
WorkloadInfo service_workload();
WorkloadInfo pipeline_workload();
WorkloadInfo empty_workload();

const std::vector<WorkloadInfo>& workloads() {
  static const std::vector<WorkloadInfo> all = {
      cpu_workload(),      sleep_workload(),    file_workload(),  rpc_workload(),
      redis_workload(),    postgres_workload(), mixed_workload(), service_workload(),
      pipeline_workload(), empty_workload()};
  return all;
}

const WorkloadInfo& workload_named(std::string_view name) {
  const std::vector<WorkloadInfo>& all = workloads();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const WorkloadInfo& info) { return info.name == name; });
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const WorkloadInfo& info : all) names.emplace_back(info.name);
  throw UsageError(fmt::format("there is no workload '{}'{} (workloads: {})", name,
                               did_you_mean(name, names), fmt::join(names, ", ")));
}

}  // namespace precipice
