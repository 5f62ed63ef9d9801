#include "harness/capacity/windows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/capacity/service_level.hpp"
#include "harness/trial/limits.hpp"
#include "models/distribution.hpp"
#include "models/model.hpp"
#include "models/oracle.hpp"
#include "workloads/workload.hpp"

namespace precipice {

Nanos nominal_service(const Spec& model, const Spec& workload) {
  if (model.name == "oracle") return oracle_settings(model.given).total();
  if (of_target(workload)) return Nanos(0);
  const WorkloadInfo& info = workload_named(workload.name);
  return info.make(Options(info.name, info.options, workload.given))->nominal_service();
}

Nanos longest_service(const Spec& model, const Spec& workload) {
  if (model.name == "oracle") {
    const OracleSettings settings = oracle_settings(model.given);
    const double longest =
        settings.service.quantile(1 - 0.5 / static_cast<double>(kTabulatedSeeds));
    return settings.total() +
           Nanos(static_cast<std::int64_t>((std::max(1.0, longest) - 1) * settings.stages *
                                           static_cast<double>(settings.mean.count())));
  }
  if (of_target(workload)) return Nanos(0);
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

Nanos cell_window(const Plan& plan, double service_ns, double slo_ns, std::size_t servers) {
  // No interval is given from windows shorter than 20 SLOs, see CellResult.
  constexpr double kSlos = 20.5;
  constexpr double kMostWindows = 4;
  double window_ns = static_cast<double>(plan.window.count());
  if (plan.requests > 0) {
    const double most_ns = kMostWindows * window_ns;
    double wanted_ns = kSlos * slo_ns;
    if (servers > 0)
      wanted_ns = std::max(wanted_ns, static_cast<double>(plan.requests) * service_ns /
                                          static_cast<double>(servers));
    window_ns = std::clamp(wanted_ns, window_ns, most_ns);
  }
  return resolve_window(Nanos(static_cast<std::int64_t>(window_ns)), service_ns);
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

std::string why_cycle_too_long(const Plan& plan) {
  const double cycle_ns = static_cast<double>(plan.arrivals.burst_cycle().count());
  double factor = 1;
  for (const auto* factors : {&plan.refine, &plan.overload})
    for (const double each : *factors) factor = std::max(factor, each);
  for (const Spec& workload : plan.workloads) {
    for (const Spec& model : plan.models) {
      if (model.name != "oracle" || !plan.includes(model, workload)) continue;
      const OracleSettings settings = oracle_settings(model.given);
      const double gap_ns = static_cast<double>(settings.mean.count()) / settings.servers;
      const double requests = factor * cycle_ns / gap_ns;
      if (requests > static_cast<double>(kMaxRequests)) {
        return fmt::format(
            "a cycle of {} lasts {}, in which {} is offered up to {:.3g} requests, and one trial "
            "keeps at most {}: shorten on and off",
            plan.arrivals.to_string(), format_duration(plan.arrivals.burst_cycle()),
            model.to_string(), requests, kMaxRequests);
      }
      const double longest_ns =
          kMostForScatter * static_cast<double>(plan.virtual_requests) * gap_ns;
      if (plan.clock == ClockKind::virtual_time && plan.virtual_requests > 0 &&
          cycle_ns > longest_ns) {
        return fmt::format(
            "a cycle of {} lasts {}, and no window of {} is longer than {}: shorten on and off, or "
            "name a window that holds the cycle (load.window, --seconds)",
            plan.arrivals.to_string(), format_duration(plan.arrivals.burst_cycle()),
            model.to_string(), format_duration(Nanos(static_cast<std::int64_t>(longest_ns))));
      }
    }
  }
  return "";
}

}  // namespace precipice
