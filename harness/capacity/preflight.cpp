#include "harness/capacity/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/capacity/service_level.hpp"
#include "harness/format.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr double kHopeless = 0.99;

/// Two digits are all that a short look at noise can carry; upwards, to be on the safe side.
std::int64_t rounded_up(std::int64_t ns) {
  std::int64_t step = 1;
  while (ns / step >= 100) step *= 10;
  return (ns + step - 1) / step * step;
}

/// S and the unloaded p99 that the options name, over the seeds that requests have.
Calibration nominal(const Spec& model, const Spec& workload) {
  Calibration service;
  if (model.name == "oracle") {
    const Options options(model.name, model_named(model.name).options, model.given);
    service.mean_ns = service.p99_ns = static_cast<double>(options.duration("mean").count());
    return service;
  }
  const WorkloadInfo& info = workload_named(workload.name);
  const bool named =
      std::any_of(info.options.begin(), info.options.end(),
                  [](const OptionKey& key) { return key.name == "work" || key.name == "wait"; });
  if (!named) return service;  // what a read takes is the disk's to say
  const auto made = info.make(Options(info.name, info.options, workload.given));
  service.mean_ns = static_cast<double>(made->nominal_service().count());
  std::vector<std::int64_t> draws(kTabulatedSeeds);
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed)
    draws[seed] = made->nominal_draw(seed).count();
  const std::size_t rank = draws.size() * 99 / 100;
  std::nth_element(draws.begin(), draws.begin() + static_cast<std::ptrdiff_t>(rank), draws.end());
  service.p99_ns = static_cast<double>(draws[rank]);
  return service;
}

struct Outlook {
  Slo slo;
  bool oracle = false;
  bool in_service_times = false;  ///< the SLO is a multiple of S
  double slo_ns = 0, service_ns = 0, lost = 0;
};

/// By the name of what is measured: a workload, or an oracle.
std::map<std::string, Outlook> outlook(const Plan& plan, const NoiseFloor& floor) {
  std::map<std::string, Outlook> all;
  if (plan.clock == ClockKind::virtual_time) return all;
  for (const Spec& workload : plan.workloads) {
    for (const Spec& model : plan.models) {
      // The oracle draws its own service times, and only beside `empty`.
      if (!plan.includes(model, workload)) continue;
      if ((model.name == "oracle") != (workload.name == "empty")) continue;
      const std::string subject = model.name == "oracle" ? model.to_string() : workload.to_string();
      if (all.contains(subject)) continue;
      const Calibration service = nominal(model, workload);
      Outlook look;
      look.slo = plan.slo_of(workload);
      look.oracle = model.name == "oracle";
      look.service_ns = service.mean_ns;
      look.slo_ns = resolve_slo_ns(look.slo, model, workload, service);
      look.in_service_times = look.slo.bound.count() == 0 && service.mean_ns > 0 &&
                              (look.slo.times_service > 0 || look.slo_ns == 10 * service.mean_ns);
      if (look.slo_ns <= 0) continue;
      look.lost = floor.lost_share(look.slo_ns, plan.window);
      all.emplace(subject, look);
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> preflight(const Plan& plan, const NoiseFloor& floor) {
  std::vector<std::string> sentences;
  for (const auto& [subject, look] : outlook(plan, floor)) {
    if (look.lost <= 1 - NoiseFloor::kEnoughValid) continue;
    std::string sentence = fmt::format("{} has an SLO of {}; ", subject, short_time(look.slo_ns));
    if (floor.lost_to_steal()) {
      sentences.push_back(sentence +
                          fmt::format("the host steals {:.1f}% of this machine's CPU time, "
                                      "more than any trial may lose: expect no valid "
                                      "trial here, whatever S is",
                                      floor.steal_percent()));
      continue;
    }
    const auto lag = static_cast<double>(floor.self_lag_p99_ns());
    if (floor.lost_to_lag(look.slo_ns, plan.window) >= look.lost) {
      sentence += fmt::format(
          "the generator alone is {} late here (p99), and max(50 us, 2% of it) "
          "is allowed",
          short_time(lag));
    } else {
      sentence += fmt::format(
          "stalls of this machine alone exceed half of that in {:.0f}% of {:g} s "
          "windows",
          100 * look.lost, std::chrono::duration<double>(plan.window).count());
    }
    sentence += look.lost >= 0.9 ? ": expect no valid trial. "
                                 : ": expect most trials to be invalid and repeated. ";
    const double least_slo_ns =
        static_cast<double>(floor.smallest_slo(plan.window).value_or(Nanos(0)).count());
    if (look.in_service_times) {
      const double times = look.slo_ns / look.service_ns;
      sentence += fmt::format("The smallest S that can be resolved here is about {}.",
                              short_time(static_cast<double>(rounded_up(
                                  static_cast<std::int64_t>(std::ceil(least_slo_ns / times))))));
    } else {
      sentence += fmt::format(
          "The smallest SLO that can be resolved here is about {}.",
          short_time(static_cast<double>(rounded_up(static_cast<std::int64_t>(least_slo_ns)))));
    }
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

bool nothing_resolvable(const Plan& plan, const NoiseFloor& floor) {
  const auto all = outlook(plan, floor);
  return !all.empty() && std::all_of(all.begin(), all.end(), [](const auto& entry) {
    return entry.second.lost >= kHopeless;
  });
}

}  // namespace precipice
