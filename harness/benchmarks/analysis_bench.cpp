// What it costs to know whether a trial counts: the probe of the machine's speed, setting up and
// ending the watch of the host, summing up the stamps and judging them, as a share of the time of a
// trial measured in the same turn. The probes' CPU time under the trial is shown beside it.
#include <benchmark/benchmark.h>

#include <vector>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/host/host_watch.hpp"
#include "harness/trial/arrivals.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/trial_runner.hpp"
#include "harness/trial/trial_summary.hpp"

namespace precipice::bench {
namespace {

using namespace std::chrono_literals;

TrialRequest trial_of(double rate_per_s) {
  TrialRequest request;
  request.model = {"fixed_pool", {{"threads", "4"}}};
  request.workload = {"cpu", {{"work", "5us"}}};
  request.rate_per_s = rate_per_s;
  request.window = 1s;
  request.warmup = 300ms;
  request.slo = 10ms;
  request.generator_cpus = cpus().driver;
  request.model_cpus = cpus().model;
  return request;
}

double ms_since(std::int64_t start) { return 1e-6 * static_cast<double>(now_ns() - start); }

/// The stamps that such a trial leaves, made up: what is timed is reading them.
struct Stamps {
  explicit Stamps(const TrialRequest& request)
      : intended(request.arrivals.schedule(request.rate_per_s,
                                           (request.warmup + request.window).count(), 1)),
        slots(intended.size()),
        digests(4096, 1) {
    for (std::size_t id = 0; id < intended.size(); ++id) {
      slots.sent(id).dispatch_ns = slots[id].begin_ns = intended[id];
      slots.sent(id).submit_ns = 300;
      slots.complete(id, intended[id] + 5'000 + static_cast<std::int64_t>(id * 7919 % 100'000),
                     Outcome::ok(1));
    }
  }
  std::vector<std::int64_t> intended;
  Slots slots;
  std::vector<std::uint64_t> digests;
};

void judge(const TrialRequest& request, const Stamps& stamps, const HostReport& host) {
  Trial trial;
  trial.request = request;
  Recording observation;
  observation.intended_ns = stamps.intended;
  observation.slots = &stamps.slots;
  observation.issued = stamps.intended.size();
  observation.window_begin_ns = request.warmup.count();
  observation.window_end_ns = (request.warmup + request.window).count();
  observation.deadline_ns = observation.window_end_ns + request.drain.count();
  observation.digests = stamps.digests;
  observation.schedule_seed = 1;
  GateInput gates;
  gates.stamps = summarise(observation, trial);
  gates.integral_ns = gates.stamps.in_flight_ns;
  gates.host = host;
  apply_gates(gates, trial);
  benchmark::DoNotOptimize(trial.valid);
}

// Argument: the rate in thousands a second.
void share_of_a_trial(benchmark::State& state) {
  const OnDriverCpu pinned;
  const TrialRequest request = trial_of(1e3 * static_cast<double>(state.range(0)));
  TrialRunner runner(default_scratch_directory());
  runner.run(request);  // prepares the workload once
  const Stamps stamps(request);
  const CpuSet watched = [&] {
    std::vector<int> all = cpus().driver.list();
    all.insert(all.end(), cpus().model.list().begin(), cpus().model.list().end());
    return CpuSet(std::move(all));
  }();
  std::vector<double> shares, probe_ms, watch_ms, judge_ms, trial_ms, probes_share;
  for (auto _ : state) {
    const std::int64_t start = now_ns();
    benchmark::DoNotOptimize(probe_speed_ns());
    probe_ms.push_back(ms_since(start));

    const std::int64_t setting_up = now_ns();
    HostWatch watch(watched);
    const double set_up_ms = ms_since(setting_up);
    const Time from = Io::now();
    const Trial trial = runner.run(request);
    trial_ms.push_back(1e3 * trial.elapsed_s);
    const std::int64_t ending = now_ns();
    const HostReport host = watch.end(from, Io::now());
    watch_ms.push_back(set_up_ms + ms_since(ending));
    probes_share.push_back(host.probes_cpu_ns / (1e9 * host.cpu_seconds));

    const std::int64_t judging = now_ns();
    judge(request, stamps, host);
    judge_ms.push_back(ms_since(judging));
    shares.push_back((probe_ms.back() + watch_ms.back() + judge_ms.back()) / trial_ms.back());
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start));
  }
  const Spread share = spread_of(shares);
  state.counters["share_percent"] = 100 * share.median;
  state.counters["share_low"] = 100 * share.low;
  state.counters["share_high"] = 100 * share.high;
  state.counters["speed_probe_ms"] = spread_of(probe_ms).median;
  state.counters["watch_ms"] = spread_of(watch_ms).median;
  state.counters["summary_and_gates_ms"] = spread_of(judge_ms).median;
  state.counters["trial_ms"] = spread_of(trial_ms).median;
  state.counters["probes_cpu_percent"] = 100 * spread_of(probes_share).median;
}

}  // namespace

void register_verdict() {
  auto* shares = benchmark::RegisterBenchmark("Verdict/share_of_a_trial_k_per_s", share_of_a_trial);
  for (const int thousands : {1, 10, 50}) shares->Arg(thousands);
  shares->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(6);
}

}  // namespace precipice::bench
