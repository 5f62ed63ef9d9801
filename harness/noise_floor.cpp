#include "harness/noise_floor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/generator.hpp"
#include "harness/host_watch.hpp"
#include "harness/service_level.hpp"
#include "harness/slots.hpp"
#include "harness/table.hpp"
#include "models/model.hpp"
#include "models/new_thread.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr std::int64_t kPartNs = 10'000'000;
constexpr std::int64_t kAlwaysAllowedLagNs = 50'000;
constexpr double kAllowedLagOfSlo = 0.02;
constexpr double kEnoughValid = 0.5;
constexpr double kHopeless = 0.99;

double parts_in(Nanos window) {
  return static_cast<double>(window.count()) / static_cast<double>(kPartNs);
}

/// Takes every request and ends none: what remains is the generator.
class Nobody final : public Model {
 public:
  unsigned executors(const CpuSet&) const override { return 0; }
  void start(const ModelSetup&) override {}
  Refusal submit(const Request&) noexcept override { return Refusal::none; }
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override { return 0; }
  ModelStats stats() const override { return {}; }
};

std::vector<NoiseSamples::Lag> offer_to_nobody(const CpuSet& cpus, bool spin, Time epoch,
                                               Nanos watch) {
  constexpr std::int64_t kGapNs = 500'000;
  pin_this_thread(cpus);
  name_this_thread("generator");
  remove_timer_slack();
  std::vector<std::int64_t> intended;
  for (std::int64_t at = 0; at < watch.count(); at += kGapNs) intended.push_back(at);
  Slots slots(intended.size());
  Nobody nobody;
  InFlightIntegral in_flight;
  GeneratorOptions options;
  options.spin = spin;
  options.margin = spin_margin();
  const std::size_t sent = offer(nobody, intended, 1, epoch, slots, in_flight, options);
  std::vector<NoiseSamples::Lag> lags;
  std::int64_t free_at = 0;
  for (std::size_t id = 0; id < sent; ++id) {
    // Against a perfect generator, as in a trial: a stall of one submit is not the next one's lag.
    const std::int64_t due = std::max(intended[id], free_at);
    free_at = due + slots.sent(id).submit_ns;
    lags.push_back(
        {epoch.time_since_epoch().count() + intended[id], slots.sent(id).dispatch_ns - due});
  }
  return lags;
}

CpuSet both(const CpuSet& a, const CpuSet& b) {
  std::vector<int> cpus = a.list();
  cpus.insert(cpus.end(), b.list().begin(), b.list().end());
  return CpuSet(std::move(cpus));
}

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

NoiseSamples sample_noise(const CpuSet& generator_cpus, const CpuSet& model_cpus, Nanos watch) {
  NoiseSamples samples;
  const CpuSet watched = both(generator_cpus, model_cpus);
  bool shared = false;
  for (const int cpu : generator_cpus.list()) shared = shared || model_cpus.contains(cpu);
  HostWatch host(watched);
  const Time epoch = Clock::now() + std::chrono::milliseconds(20);
  std::exception_ptr failure;
  new_thread("the generator of the look at the noise", [&] {
    try {
      samples.self_lags = offer_to_nobody(generator_cpus, !shared, epoch, watch);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  const HostReport report = host.end(epoch, epoch + watch);
  samples.watched_s = std::chrono::duration<double>(watch).count();
  samples.cpus = static_cast<int>(watched.size());
  SideTime all;
  for (const WatchedCpu& each : report.cpus) all.busy_ns.push_back(each.busy_ns);
  all.own_ns = report.process_cpu_ns;
  all.elapsed_ns = report.elapsed_ns;
  all.tick_ns = sample_interval_ns();
  samples.others = neighbours(all);
  samples.not_judged = report.not_judged();
  for (const int cpu : watched.list()) {
    // Lateness that may be the probe's own wait for its CPU is no stall, as in trials.
    if (!report.run_delay_known) break;
    for (const ProbeSleep& sleep : host.sleeps(cpu))
      samples.stalls.push_back({cpu, sleep.due_ns, sleep.stall_ns});
  }
  samples.steal_ticks = report.steal_ticks;
  samples.steal_percent = report.steal_percent;
  samples.throttled_periods = report.throttled_periods;
  return samples;
}

NoiseFloor::NoiseFloor(const NoiseSamples& samples)
    : watched_s_(samples.watched_s),
      steal_percent_(samples.steal_percent),
      throttled_periods_(samples.throttled_periods),
      others_(samples.others),
      not_judged_(samples.not_judged) {
  // One tick in a short look is an accident of counting.
  constexpr double kFewTicks = 4;
  const double cpu_seconds = samples.watched_s * samples.cpus;
  lost_to_steal_ = samples.steal_ticks >= kFewTicks && samples.steal_ticks > cpu_seconds;

  std::map<std::int64_t, std::int64_t> by_part;
  std::map<int, std::int64_t> by_cpu;
  const auto enter = [&](std::int64_t at_ns, std::int64_t length_ns) {
    std::int64_t& longest = by_part[at_ns / kPartNs];
    longest = std::max(longest, length_ns);
  };
  for (const NoiseSamples::Stall& stall : samples.stalls) {
    enter(stall.at_ns, stall.length_ns);
    std::int64_t& longest = by_cpu[stall.cpu];
    longest = std::max(longest, stall.length_ns);
  }
  std::vector<std::int64_t> lags;
  std::map<std::int64_t, std::vector<std::int64_t>> lags_by_part;
  for (const NoiseSamples::Lag& lag : samples.self_lags) {
    enter(lag.at_ns, lag.late_ns);
    lags.push_back(lag.late_ns);
    lags_by_part[lag.at_ns / kPartNs].push_back(lag.late_ns);
  }
  for (auto& [part, of_part] : lags_by_part) lags_.push_back(std::move(of_part));
  for (const auto& [part, longest] : by_part) parts_.push_back(longest);
  std::sort(parts_.rbegin(), parts_.rend());
  for (const auto& [cpu, longest] : by_cpu) longest_.push_back({cpu, longest});
  if (!lags.empty()) {
    std::sort(lags.begin(), lags.end());
    const auto rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(lags.size())));
    self_lag_p99_ns_ = lags[rank - 1];
    self_lag_max_ns_ = lags.back();
  }
}

double NoiseFloor::lost_to_lag(double slo_ns, Nanos window) const {
  if (lags_.empty()) return 0;
  const double allowed =
      std::max(static_cast<double>(kAlwaysAllowedLagNs), kAllowedLagOfSlo * slo_ns);
  double sum = 0, squares = 0;
  for (const std::vector<std::int64_t>& part : lags_) {
    const auto late = std::count_if(part.begin(), part.end(), [&](std::int64_t lag) {
      return static_cast<double>(lag) > allowed;
    });
    const double share = static_cast<double>(late) / static_cast<double>(part.size());
    sum += share;
    squares += share * share;
  }
  const auto parts = static_cast<double>(lags_.size());
  const double mean = sum / parts;
  const double deviation =
      std::sqrt(std::max(0.0, squares / parts - mean * mean) / std::max(1.0, parts_in(window)));
  constexpr double kLateAtP99 = 0.01;
  if (deviation == 0) return mean > kLateAtP99 ? 1 : 0;
  return 0.5 * std::erfc((kLateAtP99 - mean) / deviation / std::sqrt(2.0));
}

double NoiseFloor::lost_share(double slo_ns, Nanos window) const {
  if (lost_to_steal_) return 1;
  if (parts_.empty()) return 0;
  // A stall of 30 ms leaves the next two parts without a sample: the span counts, not the samples.
  const double parts =
      std::max(static_cast<double>(parts_.size()), watched_s_ * 1e9 / static_cast<double>(kPartNs));
  const auto over = std::find_if(parts_.begin(), parts_.end(), [&](std::int64_t longest) {
    return static_cast<double>(longest) <= slo_ns / 2;
  });
  const double hit = static_cast<double>(over - parts_.begin()) / parts;
  const double to_stalls = 1 - std::pow(1 - std::min(1.0, hit), std::max(1.0, parts_in(window)));
  // What makes the generator late mostly is a stall too: the two are no independent losses.
  return std::max(to_stalls, lost_to_lag(slo_ns, window));
}

std::optional<Nanos> NoiseFloor::smallest_slo(Nanos window) const {
  if (lost_to_steal_) return std::nullopt;
  // The losses fall as the SLO rises, and only where it passes twice a stall or fifty times a lag.
  std::vector<std::int64_t> candidates = {1};
  for (const std::int64_t longest : parts_) candidates.push_back(2 * longest);
  for (const auto& part : lags_) {
    for (const std::int64_t lag : part) {
      if (lag > kAlwaysAllowedLagNs)
        candidates.push_back(
            static_cast<std::int64_t>(std::ceil(static_cast<double>(lag) / kAllowedLagOfSlo)));
    }
  }
  std::sort(candidates.begin(), candidates.end());
  const auto least =
      std::partition_point(candidates.begin(), candidates.end(), [&](std::int64_t slo_ns) {
        return lost_share(static_cast<double>(slo_ns), window) > 1 - kEnoughValid;
      });
  return Nanos(std::max<std::int64_t>(1, least == candidates.end() ? candidates.back() : *least));
}

std::optional<Nanos> NoiseFloor::smallest_service(Nanos window) const {
  constexpr std::int64_t kTimesService = 10;
  const auto slo = smallest_slo(window);
  if (!slo) return std::nullopt;
  return Nanos((slo->count() + kTimesService - 1) / kTimesService);
}

Json to_json(const NoiseFloor& floor, Nanos window) {
  const auto count = [](const std::optional<Nanos>& time) {
    return time ? Json(time->count()) : Json(nullptr);
  };
  Json json = {{"watched_s", floor.watched_s()},
               {"window_s", std::chrono::duration<double>(window).count()},
               {"smallest_slo_ns", count(floor.smallest_slo(window))},
               {"smallest_service_ns", count(floor.smallest_service(window))},
               {"self_lag_p99_ns", floor.self_lag_p99_ns()},
               {"self_lag_max_ns", floor.self_lag_max_ns()},
               {"steal_percent", number(floor.steal_percent())},
               {"throttled_periods",
                floor.throttled_periods() ? Json(*floor.throttled_periods()) : Json(nullptr)},
               {"others_cpu_ns", number(floor.others().took_ns)},
               {"not_judged", floor.not_judged()},
               {"stalls", Json::array()},
               {"lost_share", Json::array()}};
  for (const auto& stall : floor.longest_stalls())
    json["stalls"].push_back({{"cpu", stall.cpu}, {"longest_ns", stall.longest_ns}});
  for (double slo_ns = 1e5; slo_ns <= 1e9; slo_ns *= 10)
    json["lost_share"].push_back({{"slo_ns", slo_ns}, {"share", floor.lost_share(slo_ns, window)}});
  return json;
}

std::vector<std::string> preflight(const Plan& plan, const NoiseFloor& floor) {
  std::vector<std::string> sentences;
  for (const auto& [subject, look] : outlook(plan, floor)) {
    if (look.lost <= 1 - kEnoughValid) continue;
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
