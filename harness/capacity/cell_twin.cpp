#include "harness/capacity/cell_twin.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

#include "harness/capacity/service_level.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "models/oracle.hpp"
#include "models/random.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

/// A factor with mean 1 whose logarithm is normal, from a request's seed and id alone.
double disturbance(double scatter, std::uint64_t id, std::uint64_t seed) {
  Random random(mix64(mix64(id) + seed));
  const double normal = std::sqrt(-2 * std::log(random.uniform_positive())) *
                        std::cos(2 * std::numbers::pi * random.uniform());
  return std::exp(scatter * normal - scatter * scatter / 2);
}

/// How many requests a model begins at once at most: as many as it has threads by its options,
/// where 0 is no limit; without that option, or with an empty one, one on each CPU.
std::size_t most_at_once(const Spec& model, std::size_t cpus) {
  const ModelInfo& info = model_named(model.name);
  const Options options(info.name, info.options, model.given);
  const auto threads = options.values().find("threads");
  if (threads == options.values().end() || threads->second.empty()) return cpus;
  const std::uint64_t most = options.count("threads", 0, std::numeric_limits<std::uint64_t>::max());
  return most > 0 ? most : LongRun::kUnlimited;
}

std::shared_ptr<const Twin> twin_of_oracle(const Plan& plan, const Spec& model) {
  const auto settings = std::make_shared<OracleSettings>(oracle_settings(model.given));
  const double scatter = plan.oracle_twin->scatter;
  const auto mean_ns = static_cast<double>(settings->mean.count());
  Twin::Service service;
  service.kind = fmt::format("oracle {} {}", settings->service.to_string(), scatter);
  service.servers = service.most_at_once = settings->servers;
  service.may_share = true;
  service.mean_ns = mean_ns / plan.oracle_twin->slower;
  service.draw = [settings, scatter, mean_ns](std::uint64_t id, std::uint64_t seed) {
    return settings->service_ns({.id = id, .seed = static_cast<std::uint32_t>(seed)}) / mean_ns *
           disturbance(scatter, id, seed);
  };
  return std::make_shared<const Twin>(std::move(service), plan.arrivals);
}

}  // namespace

std::shared_ptr<const Twin> twin_of(const Plan& plan, const Spec& model, const Spec& workload,
                                    double service_ns) {
  if (!Twin::scales(plan.arrivals) || !(service_ns > 0)) return nullptr;
  if (!model.policy.empty()) return nullptr;  // what meets the servers is not the schedule
  if (model.name == "oracle") return plan.oracle_twin ? twin_of_oracle(plan, model) : nullptr;
  if (plan.clock != ClockKind::real || !only_computes(workload)) return nullptr;
  const WorkloadInfo& info = workload_named(workload.name);
  const std::shared_ptr<const Workload> work =
      info.make(Options(info.name, info.options, workload.given));
  const auto mean_ns = static_cast<double>(work->nominal_service().count());
  Twin::Service service;
  service.kind = workload.to_string();
  service.servers = plan.model_cpus.size();
  service.most_at_once = most_at_once(model, service.servers);
  service.mean_ns = service_ns;
  service.draw = [work, mean_ns](std::uint64_t, std::uint64_t seed) {
    return static_cast<double>(work->nominal_draw(seed).count()) / mean_ns;
  };
  service.varies = work->nominal_draw(1) != work->nominal_draw(2);
  return std::make_shared<const Twin>(std::move(service), plan.arrivals);
}

}  // namespace precipice
