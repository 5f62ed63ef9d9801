#include "harness/trial/noise_sampler.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "harness/host/cpu_clock.hpp"
#include "harness/host/host_watch.hpp"
#include "harness/host/proc_stat.hpp"
#include "harness/host/process_times.hpp"
#include "harness/host/throttling.hpp"
#include "harness/trial/generator.hpp"
#include "harness/trial/slots.hpp"
#include "models/model.hpp"
#include "models/new_thread.hpp"

namespace precipice {
namespace {

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
  if (!spin) options.precedence = WakeUpPrecedence::Kind::short_slice;
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

NoiseWatch::Moment moment_now(const CpuSet& cpus) {
  NoiseWatch::Moment moment;
  moment.at_ns = Clock::now().time_since_epoch().count();
  const auto ns_per_tick = 1e9 / static_cast<double>(sysconf(_SC_CLK_TCK));
  for (const auto& [cpu, ticks] : read_proc_stat(cpus)) {
    moment.busy_ns[cpu] = ticks.busy * ns_per_tick;
    moment.steal_ticks += ticks.steal;
  }
  for (const auto& [cpu, ns] : softirq_thread_ns(cpus)) moment.busy_ns[cpu] -= ns;
  moment.throttled_periods = read_throttled_periods();
  moment.process_cpu_ns = cpu_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  moment.sampler_cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  return moment;
}

/// The calling thread, for as long as this lives.
class OnCpus {
 public:
  explicit OnCpus(const CpuSet& cpus) : before_(CpuSet::of_this_thread()) { pin_this_thread(cpus); }
  ~OnCpus() {
    try {
      pin_this_thread(before_);
    } catch (const std::exception&) {
      // those CPUs are gone meanwhile: the trials say so
    }
  }
  OnCpus(const OnCpus&) = delete;
  OnCpus& operator=(const OnCpus&) = delete;

 private:
  CpuSet before_;
};

}  // namespace

NoiseWatch watch_noise(const CpuSet& generator_cpus, const CpuSet& model_cpus, Nanos watch) {
  NoiseWatch seen;
  seen.generator_cpus = generator_cpus;
  seen.model_cpus = model_cpus;
  NoiseSamples& samples = seen.samples;
  const CpuSet watched = united(generator_cpus, model_cpus);
  bool shared = false;
  for (const int cpu : generator_cpus.list()) shared = shared || model_cpus.contains(cpu);
  // Before and after the watch, which reading all of /proc would disturb.
  const Time processes_from = Clock::now();
  const auto processes_before = read_processes();
  HostReport report;
  {
    const Time begun = Clock::now();
    HostWatch host(watched);
    const Time epoch = Clock::now() + std::chrono::milliseconds(20);
    std::exception_ptr failure;
    std::thread generator = new_thread("the generator of the look at the noise", [&] {
      try {
        samples.self_lags = offer_to_nobody(generator_cpus, !shared, epoch, watch);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    try {
      const OnCpus away_from_the_generator(model_cpus);
      constexpr Nanos kApart = std::chrono::milliseconds(50);
      for (Nanos at{0}; at <= watch; at += kApart) {
        std::this_thread::sleep_until(epoch + at);
        seen.moments.push_back(moment_now(watched));
      }
    } catch (...) {
      generator.join();
      throw;
    }
    generator.join();
    if (failure) std::rethrow_exception(failure);
    report = host.end(epoch, epoch + watch);
    const double elapsed_ns =
        std::chrono::duration<double, std::nano>(Clock::now() - begun).count();
    seen.probe_share = report.probes_cpu_ns / static_cast<double>(watched.size()) / elapsed_ns;
    for (const int cpu : watched.list()) {
      // Lateness that may be the probe's own wait for its CPU is no stall, as in trials.
      if (!report.run_delay_known) break;
      for (const ProbeSleep& sleep : host.sleeps(cpu))
        samples.stalls.push_back({cpu, sleep.due_ns, sleep.stall_ns});
    }
  }
  const auto processes_after = read_processes();
  seen.processes = processes_between(
      processes_before, processes_after,
      std::chrono::duration<double>(Clock::now() - processes_from).count(),
      static_cast<double>(sysconf(_SC_CLK_TCK)), watched, static_cast<int>(getpid()));
  samples.watched_s = std::chrono::duration<double>(watch).count();
  samples.cpus = static_cast<int>(watched.size());
  SideTime all;
  for (const WatchedCpu& each : report.cpus) all.busy_ns.push_back(each.busy_ns);
  all.own_ns = report.process_cpu_ns;
  all.elapsed_ns = report.elapsed_ns;
  all.tick_ns = sample_interval_ns();
  samples.others = neighbours(all);
  samples.not_judged = report.not_judged();
  samples.steal_ticks = report.steal_ticks;
  samples.steal_percent = report.steal_percent;
  samples.throttled_periods = report.throttled_periods;
  return seen;
}

NoiseSamples sample_noise(const CpuSet& generator_cpus, const CpuSet& model_cpus, Nanos watch) {
  return watch_noise(generator_cpus, model_cpus, watch).samples;
}

}  // namespace precipice
