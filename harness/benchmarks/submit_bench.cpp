// Submit to completion of a request that does nothing: alone (depth 1) and with 1,024 others.
#include <benchmark/benchmark.h>

#include <string>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "models/job.hpp"

namespace precipice::bench {
namespace {

constexpr std::uint64_t kDeep = 1024;

/// Requests that count their end and, while any are left, are followed by another one.
class EmptyRequests {
 public:
  explicit EmptyRequests(const std::string& spec) : model_(make_model(spec)) {
    model_->start({cpus().model, {&run, &refuse, this}, {}, 4096});
  }
  ~EmptyRequests() { model_->shutdown(Io::now() + std::chrono::seconds(5)); }
  EmptyRequests(const EmptyRequests&) = delete;
  EmptyRequests& operator=(const EmptyRequests&) = delete;

  void one_and_wait() {
    const std::uint64_t target = ended_.load(std::memory_order_relaxed) + 1;
    submit();
    while (ended_.load(std::memory_order_acquire) < target) wait_a_moment();
  }

  /// `count` requests, `kDeep` at a time, each end followed by a submit on the same thread.
  void many(std::uint64_t count) {
    const std::uint64_t target = ended_.load() + count;
    to_follow_.store(static_cast<std::int64_t>(count - kDeep));
    for (std::uint64_t i = 0; i < kDeep; ++i) submit();
    wait_until(ended_, target);
  }

  std::uint64_t refused() const { return refused_.load(); }

 private:
  void submit() {
    const Request request{.id = id_.fetch_add(1, std::memory_order_relaxed)};
    if (model_->submit(request) != Refusal::none) {
      refused_.fetch_add(1);
      ended_.fetch_add(1, std::memory_order_release);
    }
  }
  void end() {
    if (to_follow_.load(std::memory_order_relaxed) > 0 && to_follow_.fetch_sub(1) > 0) submit();
    ended_.fetch_add(1, std::memory_order_release);
  }
  static Task<void> run(void* self, Io&, Request) {
    static_cast<EmptyRequests*>(self)->end();
    co_return;
  }
  static void refuse(void* self, const Request&, Refusal) noexcept {
    static_cast<EmptyRequests*>(self)->refused_.fetch_add(1);
    static_cast<EmptyRequests*>(self)->end();
  }

  std::unique_ptr<Model> model_;
  alignas(64) std::atomic<std::uint64_t> id_{0};
  std::atomic<std::int64_t> to_follow_{0};
  std::atomic<std::uint64_t> refused_{0};
  alignas(64) std::atomic<std::uint64_t> ended_{0};
};

void add_counters(benchmark::State& state, std::int64_t cpu_ns, double requests,
                  std::uint64_t refused) {
  state.counters["model_cpu_ns"] = static_cast<double>(cpu_ns) / requests;
  state.counters["refused"] = static_cast<double>(refused);
  if (cpus().shared) state.SetLabel("driver and model share one CPU");
}

void alone(benchmark::State& state, const std::string& spec) {
  const OnDriverCpu pinned;
  EmptyRequests requests(spec);
  for (int i = 0; i < 1000; ++i) requests.one_and_wait();
  const std::int64_t cpu = others_cpu_ns();
  for (auto _ : state) requests.one_and_wait();
  add_counters(state, others_cpu_ns() - cpu, static_cast<double>(state.iterations()),
               requests.refused());
}

// The time of an iteration is the time per request.
void deep(benchmark::State& state, const std::string& spec) {
  const OnDriverCpu pinned;
  EmptyRequests requests(spec);
  const std::uint64_t batch = spec == "thread_per_request" ? 4'000 : 100'000;
  requests.many(batch);
  const std::int64_t cpu = others_cpu_ns();
  for (auto _ : state) {
    const std::int64_t start = now_ns();
    requests.many(batch);
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start) /
                           static_cast<double>(batch));
  }
  add_counters(state, others_cpu_ns() - cpu,
               static_cast<double>(batch) * static_cast<double>(state.iterations()),
               requests.refused());
}

}  // namespace

void register_submit() {
  for (const std::string& spec : compared_models()) {
    benchmark::RegisterBenchmark(("Submit/alone/" + spec).c_str(), alone, spec)
        ->UseRealTime()
        ->MinTime(0.3);
    benchmark::RegisterBenchmark(("Submit/deep/" + spec).c_str(), deep, spec)
        ->UseManualTime()
        ->Iterations(5);
  }
}

}  // namespace precipice::bench
