#include "harness/capacity/windows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/distribution.hpp"
#include "models/model.hpp"
#include "workloads/workload.hpp"

namespace precipice {

Nanos nominal_service(const Spec& model, const Spec& workload) {
  if (model.name == "oracle") {
    return Options(model.name, model_named(model.name).options, model.given).duration("mean");
  }
  const WorkloadInfo& info = workload_named(workload.name);
  return info.make(Options(info.name, info.options, workload.given))->nominal_service();
}

Nanos longest_service(const Spec& model, const Spec& workload) {
  if (model.name == "oracle") {
    const Options options(model.name, model_named(model.name).options, model.given);
    const Distribution service = Distribution::parse(options.text("service"), "oracle: service");
    const double longest = service.quantile(1 - 0.5 / static_cast<double>(kTabulatedSeeds));
    return Nanos(static_cast<std::int64_t>(std::max(1.0, longest) *
                                           static_cast<double>(options.duration("mean").count())));
  }
  const WorkloadInfo& info = workload_named(workload.name);
  const auto work = info.make(Options(info.name, info.options, workload.given));
  Nanos longest = work->nominal_service();
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed)
    longest = std::max(longest, work->nominal_draw(seed));
  return longest;
}

Nanos resolve_drain(Nanos drain, const Spec& model, const Spec& workload) {
  return std::max(drain, 2 * longest_service(model, workload));
}

Nanos resolve_window(Nanos window, double service_ns) {
  constexpr double kServices = 10;
  return std::max(window, Nanos(static_cast<std::int64_t>(kServices * service_ns)));
}

std::string why_too_short(const Plan& plan, Nanos length, bool of_arrivals) {
  for (const Spec& workload : plan.workloads) {
    for (const Spec& model : plan.models) {
      if (!plan.includes(model, workload)) continue;
      const Nanos needed = nominal_service(model, workload);
      if (length >= needed) continue;
      const Spec& work = model.name == "oracle" ? model : workload;
      return fmt::format("{} is shorter than the work, {} ({})", format_duration(length),
                         format_duration(needed), work.to_string());
    }
  }
  const Nanos cycle = plan.arrivals.burst_cycle();
  if (of_arrivals && length < cycle) {
    return fmt::format("{} holds less than one cycle of {}, {}", format_duration(length),
                       plan.arrivals.to_string(), format_duration(cycle));
  }
  return "";
}

}  // namespace precipice
