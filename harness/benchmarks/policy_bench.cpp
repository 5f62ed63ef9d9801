// What a policy costs the thread that submits: one submit through it, into a model that only keeps
// what it gets.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/trial/policy_chain.hpp"
#include "models/policies/timer_thread.hpp"

namespace precipice::bench {
namespace {

constexpr std::uint64_t kRequests = 1 << 16;

/// Ends nothing before its shutdown.
class Keeper final : public Model {
 public:
  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup& setup) override {
    job_ = setup.job;
    kept_.reserve(setup.requests * setup.attempts);
  }
  Refusal submit(const Request& request) noexcept override {
    kept_.push_back(request);
    return Refusal::none;
  }
  void shutdown(Time) noexcept override {
    for (const Request& request : kept_) job_.refuse(job_.context, request, Refusal::shutdown);
    kept_.clear();
  }
  std::uint64_t in_flight() const noexcept override { return kept_.size(); }
  ModelStats stats() const override { return {}; }

 private:
  Job job_;
  std::vector<Request> kept_;
};

void submit(benchmark::State& state, const std::string& policies) {
  const OnDriverCpu pinned;
  for (auto _ : state) {
    TimerThread timeline(cpus().model);
    const PolicyChain chain =
        make_chain(parse_policies(policies), std::make_unique<Keeper>(), timeline);
    Job job;
    job.refuse = [](void*, const Request&, Refusal) noexcept {};
    ModelSetup setup;
    setup.cpus = cpus().model;
    setup.job = job;
    setup.requests = kRequests;
    chain.model->start(setup);
    const std::int64_t start = now_ns();
    for (std::uint64_t id = 0; id < kRequests; ++id)
      benchmark::DoNotOptimize(chain.model->submit({.id = id, .seed = 7}));
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start) / kRequests);
    chain.model->shutdown(Io::now());
  }
}

}  // namespace

void register_policies() {
  // The time of an iteration is the time per request. Delays are far longer than an iteration, so
  // that no timer runs on the same CPU meanwhile.
  for (const char* policies : {"none", "batch:size=16,linger=10s", "hedge:after=10s",
                               "retry:timeout=10s", "limit:limit=1000000", "queue:running=1000000",
                               "throttle", "choose:by=replica,replicas=4"}) {
    benchmark::RegisterBenchmark((std::string("Policy/submit/") + policies).c_str(), submit,
                                 policies)
        ->UseManualTime()
        ->Iterations(20);
  }
}

}  // namespace precipice::bench
