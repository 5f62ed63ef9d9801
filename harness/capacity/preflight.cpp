#include "harness/capacity/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/capacity/plan_estimate.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/windows.hpp"
#include "harness/format.hpp"
#include "harness/shown_text.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "models/oracle.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr double kWorthSaying = 1.0 / 3;  // of the trials

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
    service.mean_ns = service.p99_ns =
        static_cast<double>(oracle_settings(model.given).total().count());
    return service;
  }
  if (of_target(workload)) return service;
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
  int cells = 0;
  bool in_service_times = false;                ///< the SLO is a multiple of S
  double slo_ns = 0, service_ns = 0, lost = 0;  ///< slo_ns: 0 where it is not known yet
};

/// By the name of what is measured: a workload, or an oracle.
std::map<std::string, Outlook> outlook(const Plan& plan) {
  std::map<std::string, Outlook> all;
  if (plan.clock == ClockKind::virtual_time) return all;
  for (const Spec& workload : plan.workloads) {
    for (const Spec& model : plan.models) {
      // The oracle draws its own service times, and only beside `empty`.
      if (!plan.includes(model, workload)) continue;
      if ((model.name == "oracle") != (workload.name == "empty")) continue;
      const std::string subject = model.name == "oracle" ? model.to_string() : workload.to_string();
      if (const auto known = all.find(subject); known != all.end()) {
        ++known->second.cells;
        continue;
      }
      const Calibration service = nominal(model, workload);
      const Slo& slo = plan.slo_of(workload);
      Outlook look;
      look.cells = 1;
      look.service_ns = service.mean_ns;
      look.slo_ns = resolve_slo_ns(slo, model, workload, service);
      look.in_service_times = slo.bound.count() == 0 && service.mean_ns > 0 &&
                              (slo.times_service > 0 || look.slo_ns == 10 * service.mean_ns);
      all.emplace(subject, look);
    }
  }
  return all;
}

Nanos whole(double ns) { return Nanos(static_cast<std::int64_t>(ns)); }

/// Warm-up and window.
Nanos trial_of(const Plan& plan, const Outlook& look, Nanos window) {
  return resolve_warmup(plan, look.service_ns) + resolve_window(window, look.service_ns);
}

ExpectedLoss loss_of(const Plan& plan, const Outlook& look, const NoiseWatch& watch, Nanos window) {
  return expected_loss(watch, trial_of(plan, look, window), whole(look.slo_ns));
}

/// "cc1plus (pid 4242) 61%, make (pid 77) 12% and 3 more 9%"
std::string named(const std::vector<ProcessUse>& processes) {
  constexpr std::size_t kNamed = 4;
  std::vector<std::string> each;
  double rest = 0;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const ProcessUse& process = processes[i];
    if (i >= kNamed)
      rest += process.share;
    else
      each.push_back(fmt::format("{} (pid {}) {:.0f}%", shown_in_line(process.name), process.pid,
                                 100 * process.share));
  }
  std::string text = fmt::format("{}", fmt::join(each, ", "));
  if (processes.size() > kNamed)
    text += fmt::format(" and {} more {:.0f}%", processes.size() - kNamed, 100 * rest);
  return text;
}

/// "other processes used 92% of CPU 1 (the model's), 8% of CPU 0 (the generator's): ..."
std::string others_text(const NoiseWatch& watch) {
  constexpr double kNotable = 0.02;
  std::vector<std::pair<double, std::string>> cpus;
  const auto add = [&](const CpuSet& set, const char* whose) {
    for (const int cpu : set.list()) {
      const double share = watch.others_share(cpu);
      if (share >= kNotable)
        cpus.emplace_back(-share, fmt::format("{:.0f}% of CPU {}{}", 100 * share, cpu, whose));
    }
  };
  const bool apart =
      std::none_of(watch.generator_cpus.list().begin(), watch.generator_cpus.list().end(),
                   [&](int cpu) { return watch.model_cpus.contains(cpu); });
  add(watch.model_cpus, apart ? " (the model's)" : "");
  if (apart) add(watch.generator_cpus, " (the generator's)");
  if (cpus.empty()) return "";
  std::sort(cpus.begin(), cpus.end());
  constexpr std::size_t kMostCpus = 4;
  std::vector<std::string> texts;
  for (const auto& [share, text] : cpus) texts.push_back(text);
  if (texts.size() > kMostCpus) {
    texts.resize(kMostCpus);
    texts.emplace_back("more of others");
  }
  return fmt::format("other processes used {}: {}", fmt::join(texts, ", "),
                     watch.processes.empty()
                         ? "none of them is visible here, as in a container, or they have ended"
                         : named(watch.processes));
}

}  // namespace

std::vector<std::string> preflight(const Plan& plan, const NoiseFloor& floor) {
  std::vector<std::string> sentences;
  for (auto& [subject, look] : outlook(plan)) {
    if (look.slo_ns <= 0) continue;
    look.lost = floor.lost_share(look.slo_ns, plan.window);
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

Nanos preflight_watch(const Plan& plan) {
  constexpr Nanos kLeast = std::chrono::milliseconds(400), kMost = std::chrono::seconds(2);
  Nanos longest{0};
  for (const auto& [subject, look] : outlook(plan))
    longest = std::max(longest, trial_of(plan, look, plan.window));
  return std::clamp(2 * longest, kLeast, kMost);
}

std::string expected_losses(const Plan& plan, const NoiseWatch& watch) {
  double cells = 0, lost = 0;
  std::map<TrialGate, double> gates;
  for (const auto& [subject, look] : outlook(plan)) {
    const ExpectedLoss loss = loss_of(plan, look, watch, plan.window);
    cells += look.cells;
    lost += look.cells * loss.share;
    for (const auto& [gate, share] : loss.by_gate) gates[gate] += look.cells * share;
  }
  if (cells == 0 || lost <= kWorthSaying * cells) return "";
  std::vector<std::string> by_gate;
  for (const auto& [gate, share] : gates)
    by_gate.push_back(fmt::format("{} {:.0f}%", to_string(gate), 100 * share / cells));
  const double share = lost / cells;
  const int trials = estimate(plan).trials;
  std::string text =
      fmt::format("about {:.0f}% of the trials would be invalid here now", 100 * share);
  // Where the precision ends the run, how many there will be is not known.
  if (plan.precision == 0) text += fmt::format(", {:.0f} of {}", share * trials, trials);
  text += fmt::format(" ({})", fmt::join(by_gate, ", "));
  if (const std::string others = others_text(watch); !others.empty()) text += ": " + others;
  return text +
         "; it goes on and repeats them, and what has no valid figure at the end is shown as "
         "indicative";
}

Nanos window_for_noise(const Plan& plan, const NoiseWatch& watch) {
  const auto all = outlook(plan);
  if (all.size() != 1) return plan.window;
  const Outlook& look = all.begin()->second;
  if (look.slo_ns <= 0) return plan.window;
  constexpr double kTimesSlo = 20;  // below which a cliff has no interval: see Estimate
  constexpr Nanos kBetweenTrials = std::chrono::milliseconds(120);
  const Nanos least =
      std::max({resolve_window(whole(kTimesSlo * look.slo_ns), look.service_ns),
                plan.arrivals.burst_cycle(), Nanos(std::chrono::milliseconds(100))});
  const auto yield = [&](Nanos window) {
    const double valid = 1 - loss_of(plan, look, watch, window).share;
    return valid * static_cast<double>(window.count()) /
           static_cast<double>((trial_of(plan, look, window) + kBetweenTrials).count());
  };
  if (loss_of(plan, look, watch, plan.window).share <= kWorthSaying) return plan.window;
  constexpr double kGain = 1.1, kStep = 0.8;
  Nanos best = plan.window;
  double most = kGain * yield(plan.window);
  for (Nanos window = whole(kStep * static_cast<double>(plan.window.count())); window >= least;
       window = whole(kStep * static_cast<double>(window.count()))) {
    const double own = yield(window);
    if (own <= most) continue;
    most = own;
    best = window;
  }
  return std::chrono::round<std::chrono::milliseconds>(best);
}

}  // namespace precipice
