#include "harness/service_level.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/virtual_oracle.hpp"
#include "models/model.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

std::string given_or(const Spec& spec, const std::string& key, const std::string& fallback) {
  const auto found = spec.given.find(key);
  return found == spec.given.end() ? fallback : found->second;
}

/// Memory and the virtual clock: all that a search over an analytic queue needs.
class VirtualHost final : public CampaignHost {
 public:
  Trial measure(const TrialRequest& request) override { return run_virtual(request); }
  Calibration calibrate(const Spec&, const CpuSet&) override { return {}; }
  std::optional<Record> find(const std::string&) override { return std::nullopt; }
  std::optional<CalibrationRecord> find_calibration(const std::string&) override {
    return std::nullopt;
  }
  void keep(const Record&) override {}
  void keep(const CalibrationRecord&) override {}
};

/// The cliff of c servers as a share of c / S, for an SLO of `multiple` S. The same for every S, so
/// searched once.
double ideal_cliff_share(const Plan& plan, std::size_t servers, const std::string& dist,
                         double multiple, double percentile) {
  static std::map<std::string, double> known;
  const std::string key = fmt::format("{} {} {:.2f} {} {}", servers, dist, multiple, percentile,
                                      plan.arrivals.to_string());
  if (const auto found = known.find(key); found != known.end()) return found->second;
  Plan ideal;
  ideal.clock = ClockKind::virtual_time;
  ideal.name = "ideal";
  ideal.seed = 1;
  ideal.blocks = 5;
  ideal.virtual_requests = 100'000;
  ideal.arrivals = plan.arrivals;
  ideal.slo.percentile = percentile;
  ideal.slo.times_service = multiple;
  ideal.overload.clear();
  ideal.grid.clear();
  ideal.models = {
      Spec{"oracle", {{"servers", std::to_string(servers)}, {"service", dist}, {"mean", "1ms"}}}};
  ideal.workloads = {Spec{"empty", {}}};
  VirtualHost host;
  const CampaignResult result = run_campaign(ideal, host);
  const double share =
      result.cells.front().result.cliff.value / (static_cast<double>(servers) * 1000);
  return known[key] = share;
}

}  // namespace

bool only_computes(const Spec& spec) {
  const WorkloadInfo& info = workload_named(spec.name);
  const auto workload = info.make(Options(info.name, info.options, spec.given));
  return workload->nominal_cpu().count() > 0 &&
         workload->nominal_cpu() == workload->nominal_service();
}

double resolve_slo_ns(const Slo& slo, const Spec& model, const Spec& workload,
                      const Calibration& service) {
  if (slo.times_service > 0) return slo.times_service * service.mean_ns;
  if (slo.bound.count() > 0) return static_cast<double>(slo.bound.count());
  if (model.name != "oracle" && workload.name != "empty" && !only_computes(workload))
    return 2 * service.p99_ns;
  if (service.p99_ns <= 5 * service.mean_ns) return 10 * service.mean_ns;
  return model.name == "oracle" ? 10 * service.mean_ns : 2 * service.p99_ns;
}

Nanos resolve_warmup(const Plan& plan, double service_ns) {
  if (plan.warmup.count() > 0) return plan.warmup;
  // A queue forgets its start in a multiple of S; virtual time costs nothing, so there it is given
  // plenty.
  if (plan.clock == ClockKind::virtual_time)
    return Nanos(static_cast<std::int64_t>(2000 * service_ns));
  const double floor_ns = plan.brief ? 0.2e9 : 0.3e9;
  const double multiple = plan.brief ? 20 : 100;
  return Nanos(static_cast<std::int64_t>(std::max(floor_ns, multiple * service_ns)));
}

std::optional<double> ideal_cliff_of_sequences(const Plan& plan, const Spec& workload,
                                               double service_ns, double slo_ns, int blocks,
                                               const std::set<std::uint64_t>& seeds) {
  if (plan.clock != ClockKind::real || !only_computes(workload)) return std::nullopt;
  Plan ideal = plan;
  ideal.clock = ClockKind::virtual_time;
  ideal.virtual_requests = 0;
  ideal.warmup = resolve_warmup(plan, service_ns);
  ideal.blocks = blocks;
  ideal.slo = {.percentile = plan.slo_of(workload).percentile,
               .times_service = 0,
               .bound = Nanos(static_cast<std::int64_t>(slo_ns)),
               .text = {}};
  ideal.workload_slo.clear();
  ideal.workload_models.clear();
  ideal.claims.clear();
  ideal.only.clear();
  ideal.budget = Nanos(0);
  ideal.precision = 0;
  ideal.models = {Spec{"oracle",
                       {{"servers", std::to_string(plan.model_cpus.size())},
                        {"service", given_or(workload, "dist", "fixed")},
                        {"mean", exact_duration(Nanos(static_cast<std::int64_t>(service_ns)))}}}};
  ideal.workloads = {Spec{"empty", {}}};
  VirtualHost host;
  const CellSummary cell = std::move(run_campaign(ideal, host).cells.front());
  std::set<std::uint64_t> played;
  for (const Record& record : cell.points) {
    if (record.phase == Phase::refine) played.insert(record.trial.request.seed);
  }
  const bool same =
      !seeds.empty() && std::includes(played.begin(), played.end(), seeds.begin(), seeds.end());
  if (!same || cell.result.cliff.reached != "ok") return std::nullopt;
  return cell.result.cliff.value;
}

std::optional<Ideal> ideal_of(const Plan& plan, const Spec& model, const Spec& workload,
                              double service_ns, double slo_ns) {
  if (service_ns <= 0) return std::nullopt;
  std::size_t servers = plan.model_cpus.size();
  std::string dist = given_or(workload, "dist", "fixed");
  if (model.name == "oracle") {
    if (given_or(model, "discipline", "fcfs") != "fcfs" || model.given.contains("queue"))
      return std::nullopt;
    servers = std::stoul(given_or(model, "servers", "1"));
    dist = given_or(model, "service", "fixed");
  } else if (!only_computes(workload)) {
    return std::nullopt;
  }
  Ideal ideal;
  ideal.saturation_per_s = static_cast<double>(servers) * 1e9 / service_ns;
  // For the oracle itself the ideal cliff is what is being measured.
  if (model.name != "oracle") {
    ideal.cliff_per_s =
        ideal.saturation_per_s * ideal_cliff_share(plan, servers, dist, slo_ns / service_ns,
                                                   plan.slo_of(workload).percentile);
  }
  return ideal;
}

}  // namespace precipice
