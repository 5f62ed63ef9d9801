#include "harness/capacity/service_level.hpp"

#include <algorithm>

#include "models/oracle.hpp"
#include "workloads/workload.hpp"

namespace precipice {

std::string service_key(const Spec& model, const Spec& workload) {
  return of_target(workload) ? model.to_string() : workload.to_string();
}

bool only_computes(const Spec& spec) {
  if (of_target(spec)) return false;
  const WorkloadInfo& info = workload_named(spec.name);
  const auto workload = info.make(Options(info.name, info.options, spec.given));
  return workload->nominal_cpu().count() > 0 &&
         workload->nominal_cpu() == workload->nominal_service();
}

std::optional<Calibration> reference_service(const Spec& model, const Spec& workload,
                                             const std::map<std::string, Calibration>& service) {
  if (model.name == "oracle") {
    const auto mean_ns = static_cast<double>(oracle_settings(model.given).total().count());
    return Calibration{.mean_ns = mean_ns, .p99_ns = mean_ns, .valid = true};
  }
  const auto found = service.find(service_key(model, workload));
  if (found == service.end()) return std::nullopt;
  return found->second;
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

}  // namespace precipice
