// What a model makes of its CPU with work of S = 200 us: completions a second in a deep closed
// loop, as a share of the ideal of one CPU / S, with S measured just before each trial.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/trial/spec.hpp"
#include "harness/trial/trial_runner.hpp"

namespace precipice::bench {
namespace {

void share_of_ideal(benchmark::State& state, const std::string& model) {
  TrialRunner runner(default_scratch_directory());
  TrialRequest request;
  request.model = parse_spec(model, "a model");
  request.workload = parse_spec("cpu:work=200us", "a workload");
  request.closed = 64;
  request.warmup = std::chrono::milliseconds(200);
  request.generator_cpus = cpus().driver;
  request.model_cpus = cpus().model;
  std::vector<double> shares, services;
  for (auto _ : state) {
    const double service_ns = runner.calibrate(request.workload, cpus().model).mean_ns;
    request.seed = shares.size() + 1;
    const Trial trial = runner.run(request);
    state.SetIterationTime(trial.elapsed_s);
    services.push_back(service_ns);
    shares.push_back(trial.goodput_per_s * service_ns / 1e9);
  }
  const Spread share = spread_of(shares);
  state.counters["share"] = share.median;
  state.counters["share_low"] = share.low;
  state.counters["share_high"] = share.high;
  state.counters["service_ns"] = spread_of(services).median;
}

}  // namespace

void register_saturation() {
  for (const std::string& spec : compared_models()) {
    benchmark::RegisterBenchmark(("Saturation/cpu/" + spec).c_str(), share_of_ideal, spec)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(7);
  }
}

}  // namespace precipice::bench
