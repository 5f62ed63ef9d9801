// What one await costs inside a request that awaits many times: computing nothing, a sleep that is
// already over, a child task.
#include <benchmark/benchmark.h>

#include <string>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "models/job.hpp"

namespace precipice::bench {
namespace {

enum class Awaited { compute, sleep, child };

constexpr int kAwaits = 10'000;

std::uint64_t nothing(const void*, std::uint64_t seed) { return seed; }

Task<std::uint64_t> child(std::uint64_t value) { co_return value; }

struct Awaiting {
  Awaited what = Awaited::compute;
  std::int64_t elapsed_ns = 0;
  std::uint64_t sum = 0;
  std::atomic<std::uint64_t> ended{0};

  static Task<void> run(void* context, Io& io, Request request) {
    auto& self = *static_cast<Awaiting*>(context);
    const Awaited what = self.what;
    std::uint64_t sum = 0;
    const std::int64_t start = now_ns();
    for (int i = 0; i < kAwaits; ++i) {
      if (what == Awaited::compute) {
        const std::uint64_t digest = co_await io.compute({nothing, nullptr, request.seed});
        sum += digest;
      } else if (what == Awaited::sleep) {
        const std::int64_t slept = co_await io.sleep(Nanos(0));
        sum += static_cast<std::uint64_t>(slept);
      } else {
        const std::uint64_t value = co_await child(request.seed);
        sum += value;
      }
    }
    self.elapsed_ns = now_ns() - start;
    self.sum += sum;
    self.ended.fetch_add(1, std::memory_order_release);
  }
  static void refuse(void* context, const Request&, Refusal) noexcept {
    static_cast<Awaiting*>(context)->ended.fetch_add(1, std::memory_order_release);
  }
};

// The time of an iteration is the time per await, as the request itself sees it.
void await(benchmark::State& state, const std::string& spec, Awaited what) {
  const OnDriverCpu pinned;
  Awaiting awaiting;
  awaiting.what = what;
  const auto model = make_model(spec);
  model->start({cpus().model, {&Awaiting::run, &Awaiting::refuse, &awaiting}, {}, 4096});
  std::uint64_t id = 0;
  const auto once = [&] {
    if (model->submit({.id = id, .seed = 1, .intended = Io::now()}) != Refusal::none) return false;
    wait_until(awaiting.ended, ++id);
    return true;
  };
  once();
  for (auto _ : state) {
    if (!once()) {
      state.SkipWithError("the model refused the request");
      break;
    }
    state.SetIterationTime(1e-9 * static_cast<double>(awaiting.elapsed_ns) / kAwaits);
  }
  benchmark::DoNotOptimize(awaiting.sum);
  model->shutdown(Io::now() + std::chrono::seconds(5));
}

}  // namespace

void register_await() {
  const std::pair<const char*, Awaited> kinds[] = {
      {"compute", Awaited::compute}, {"sleep0", Awaited::sleep}, {"child", Awaited::child}};
  for (const auto& [name, what] : kinds) {
    for (const std::string& spec : compared_models()) {
      benchmark::RegisterBenchmark((std::string("Await/") + name + "/" + spec).c_str(), await, spec,
                                   what)
          ->UseManualTime()
          ->Iterations(5);
    }
  }
}

}  // namespace precipice::bench
