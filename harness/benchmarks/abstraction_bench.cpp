// The price of the abstraction: a model against its hand-written twin, the same CPU work of S = 10
// us, the same stamps, a closed loop so deep that the queue is never empty; alternating pairs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "harness/benchmarks/hand_written_twins.hpp"
#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/trial/closed_loop.hpp"
#include "harness/trial/instrumented_job.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice::bench {
namespace {

constexpr double kServiceNs = 10'000;
constexpr std::size_t kRequests = 15'000;
constexpr std::uint64_t kDepth = 256;
constexpr unsigned kPoolThreads = 64;  // fixed_pool's own default
constexpr auto kLongest = std::chrono::seconds(60);

const CpuWork& work() {
  static CpuWork made = [] {
    CpuWork fixed(Distribution::parse("fixed", "the distribution"),
                  Nanos(static_cast<std::int64_t>(kServiceNs)), 0x637075);
    fixed.prepare(false);
    return fixed;
  }();
  return made;
}

/// From the first begin to the last end, per request.
double time_per_request(const Slots& slots) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = 0;
  for (std::size_t id = 0; id < slots.size(); ++id) {
    first = std::min(first, slots[id].begin_ns);
    last = std::max(last, slots[id].completion_ns);
  }
  return static_cast<double>(last - first) / static_cast<double>(slots.size());
}

/// Passes each end on to the closed loop, and stops it after the last one. The twins count too.
class UntilAllEnded final : public AfterEnd {
 public:
  UntilAllEnded(ClosedLoop& loop, std::uint64_t requests, std::atomic<bool>& stop)
      : loop_(loop), requests_(requests), stop_(stop) {}
  void ended(std::int64_t at_ns) noexcept override {
    loop_.ended(at_ns);
    if (ended_.fetch_add(1, std::memory_order_release) + 1 == requests_) stop_.store(true);
  }

 private:
  ClosedLoop& loop_;
  const std::uint64_t requests_;
  std::atomic<bool>& stop_;
  std::atomic<std::uint64_t> ended_{0};
};

double model_once(const std::string& spec) {
  const WorkloadInfo& info = workload_named("cpu");
  const auto workload = info.make(Options(info.name, info.options, {{"work", "10us"}}));
  const auto model = make_model(spec);
  WorkloadSetup setup;
  setup.executors = model->executors(cpus().model);
  setup.concurrency = kDepth;
  workload->prepare(setup);
  Slots slots(kRequests);
  InFlightIntegral in_flight;
  InstrumentedJob observed(*workload, slots, in_flight);
  std::atomic<bool> all_ended{false};
  ClosedLoop loop(*model, slots, in_flight, 1, Nanos(0), Nanos(kLongest).count(), &all_ended);
  UntilAllEnded after(loop, kRequests, all_ended);
  observed.set_after_end(&after);
  model->start({cpus().model, observed.job(), {}, 4096});
  const Time epoch = Io::now();
  observed.set_epoch(epoch);
  loop.drive(kDepth, epoch);
  model->shutdown(Io::now() + std::chrono::seconds(10));
  return time_per_request(slots);
}

double twin_once(const std::string& spec) {
  Slots slots(kRequests);
  InFlightIntegral in_flight;
  const TwinRun run{work(), slots, in_flight, 1, kDepth};
  if (spec == "event_loop") {
    run_loop_twin(run, cpus().model);
  } else {
    run_pool_twin(run, cpus().model, kPoolThreads);
  }
  return time_per_request(slots);
}

// An iteration is a pair.
void price(benchmark::State& state, const std::string& spec) {
  const OnDriverCpu pinned;
  model_once(spec);
  twin_once(spec);
  std::vector<double> models, twins, prices;
  bool model_first = false;
  for (auto _ : state) {
    model_first = !model_first;
    double model = 0;
    if (model_first) model = model_once(spec);
    const double twin = twin_once(spec);
    if (!model_first) model = model_once(spec);
    state.SetIterationTime(1e-9 * (model + twin) * kRequests);
    models.push_back(model);
    twins.push_back(twin);
    prices.push_back(100 * (model - twin) / kServiceNs);
  }
  const Spread price = spread_of(prices);
  state.counters["model_ns"] = spread_of(models).median;
  state.counters["twin_ns"] = spread_of(twins).median;
  state.counters["price_percent"] = price.median;
  state.counters["price_low"] = price.low;
  state.counters["price_high"] = price.high;
}

}  // namespace

void register_abstraction() {
  for (const char* spec : {"event_loop", "fixed_pool"}) {
    benchmark::RegisterBenchmark((std::string("Abstraction/") + spec).c_str(), price, spec)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(20);
  }
}

}  // namespace precipice::bench
