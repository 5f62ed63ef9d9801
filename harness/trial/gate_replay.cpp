#include "harness/trial/gate_replay.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/host/host_watch.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {
namespace {

/// Met once within a trial, it is met: a longer trial meets more of them.
bool is_event(TrialGate gate) {
  return gate == TrialGate::stall || gate == TrialGate::self_lag_max ||
         gate == TrialGate::throttling || gate == TrialGate::rt_throttling;
}

std::vector<int> cpus_of(const NoiseWatch& watch) {
  std::set<int> cpus(watch.generator_cpus.list().begin(), watch.generator_cpus.list().end());
  cpus.insert(watch.model_cpus.list().begin(), watch.model_cpus.list().end());
  return {cpus.begin(), cpus.end()};
}

double busy_between(const NoiseWatch::Moment& from, const NoiseWatch::Moment& to, int cpu) {
  const auto before = from.busy_ns.find(cpu), after = to.busy_ns.find(cpu);
  if (before == from.busy_ns.end() || after == to.busy_ns.end()) return kNotShown;
  return std::max(0.0, after->second - before->second);
}

/// Of this process beside the probes and the thread that reads counters.
double generator_ns(const NoiseWatch& watch, const NoiseWatch::Moment& from,
                    const NoiseWatch::Moment& to) {
  const double probes_ns = watch.probe_share * static_cast<double>(to.at_ns - from.at_ns) *
                           static_cast<double>(cpus_of(watch).size());
  return std::max(0.0, to.process_cpu_ns - from.process_cpu_ns -
                           (to.sampler_cpu_ns - from.sampler_cpu_ns) - probes_ns);
}

HostReport report_of(const NoiseWatch& watch, const NoiseWatch::Moment& from,
                     const NoiseWatch::Moment& to) {
  HostReport report;
  report.elapsed_ns = static_cast<double>(to.at_ns - from.at_ns);
  report.run_delay_known = !watch.samples.stalls.empty();
  std::vector<std::vector<ProbeSleep>> sleeps;
  for (const int cpu : cpus_of(watch)) {
    WatchedCpu& watched = report.cpus.emplace_back();
    watched.cpu = cpu;
    watched.probed = true;
    watched.busy_ns = busy_between(from, to, cpu);
    watched.probe_cpu_ns = watch.probe_share * report.elapsed_ns;
    std::vector<ProbeSleep>& own = sleeps.emplace_back();
    for (const NoiseSamples::Stall& stall : watch.samples.stalls) {
      if (stall.cpu != cpu || stall.at_ns < from.at_ns || stall.at_ns >= to.at_ns) continue;
      own.push_back({stall.at_ns, stall.length_ns, 0});
      watched.hiccup_max_ns = std::max(watched.hiccup_max_ns, stall.length_ns);
    }
    report.hiccup_max_ns = std::max(report.hiccup_max_ns, watched.hiccup_max_ns);
  }
  report.hiccup_all_ns = longest_shared_stall(sleeps);
  report.cpu_seconds = report.elapsed_ns * 1e-9 * static_cast<double>(report.cpus.size());
  report.steal_ticks = to.steal_ticks - from.steal_ticks;
  report.process_cpu_ns = to.process_cpu_ns - from.process_cpu_ns;
  report.watcher_cpu_ns = generator_ns(watch, from, to);
  if (from.throttled_periods && to.throttled_periods)
    report.throttled_periods = *to.throttled_periods - *from.throttled_periods;
  return report;
}

Percentiles lags_between(const NoiseWatch& watch, std::int64_t from_ns, std::int64_t to_ns) {
  std::vector<std::int64_t> lags;
  for (const NoiseSamples::Lag& lag : watch.samples.self_lags) {
    if (lag.at_ns >= from_ns && lag.at_ns < to_ns) lags.push_back(lag.late_ns);
  }
  Percentiles result;
  if (lags.empty()) return result;
  std::sort(lags.begin(), lags.end());
  const auto rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(lags.size())));
  result.p99 = lags[rank - 1];
  result.max = lags.back();
  return result;
}

/// The gates that an idle trial of this stretch would fail.
std::set<TrialGate> failed_gates(const NoiseWatch& watch, const NoiseWatch::Moment& from,
                                 const NoiseWatch::Moment& to, Nanos slo) {
  constexpr Nanos kNoSlo = std::chrono::hours(24);  // that no stall or lag exceeds
  Trial trial;
  trial.request.slo = slo.count() > 0 ? slo : kNoSlo;
  trial.request.generator_cpus = watch.generator_cpus;
  trial.request.model_cpus = watch.model_cpus;
  trial.self_lag = lags_between(watch, from.at_ns, to.at_ns);
  GateInput input;
  input.host = report_of(watch, from, to);
  apply_gates(input, trial);
  std::set<TrialGate> failed;
  for (const InvalidReason& reason : trial.invalid_reasons) failed.insert(reason.gate);
  return failed;
}

}  // namespace

double NoiseWatch::others_share(int cpu) const {
  if (moments.size() < 2) return kNotShown;
  const Moment &from = moments.front(), &to = moments.back();
  const auto elapsed_ns = static_cast<double>(to.at_ns - from.at_ns);
  double own_ns = probe_share * elapsed_ns;
  const auto part_of = [&](const CpuSet& cpus, double ns) {
    if (cpus.contains(cpu)) own_ns += ns / static_cast<double>(cpus.size());
  };
  part_of(generator_cpus, generator_ns(*this, from, to));
  part_of(model_cpus, to.sampler_cpu_ns - from.sampler_cpu_ns);
  return std::max(0.0, busy_between(from, to, cpu) - own_ns) / elapsed_ns;
}

ExpectedLoss expected_loss(const NoiseWatch& watch, Nanos trial, Nanos slo) {
  ExpectedLoss loss;
  if (watch.moments.size() < 2) return loss;
  const std::int64_t watched_ns = watch.moments.back().at_ns - watch.moments.front().at_ns;
  const std::int64_t stretch_ns = std::min<std::int64_t>(trial.count(), watched_ns / 2);
  int stretches = 0, by_share = 0, by_event_alone = 0;
  std::map<TrialGate, int> failed;
  for (std::size_t i = 0, j = 0; i < watch.moments.size(); ++i) {
    const NoiseWatch::Moment& from = watch.moments[i];
    while (j < watch.moments.size() && watch.moments[j].at_ns - from.at_ns < stretch_ns) ++j;
    if (j == watch.moments.size()) break;
    ++stretches;
    const std::set<TrialGate> gates = failed_gates(watch, from, watch.moments[j], slo);
    for (const TrialGate gate : gates) ++failed[gate];
    const bool share =
        std::any_of(gates.begin(), gates.end(), [](TrialGate gate) { return !is_event(gate); });
    if (share)
      ++by_share;
    else if (!gates.empty())
      ++by_event_alone;
  }
  if (stretches == 0) return loss;
  const double calm = stretches - by_share;
  const double without_event = calm > 0 ? (calm - by_event_alone) / calm : 1;
  const double times = static_cast<double>(trial.count()) / static_cast<double>(stretch_ns);
  loss.share = 1 - calm / stretches * std::pow(without_event, std::max(1.0, times));
  for (const auto& [gate, count] : failed)
    loss.by_gate[gate] = static_cast<double>(count) / stretches;
  return loss;
}

}  // namespace precipice
