// What it costs to record one request: the stores into its slot and the steps of the in-flight
// integral, on the side of the generator (dispatch) and on that of the model (begin and end). The
// clock is read four times a request in a trial; those reads are added in the second pair.
#include <benchmark/benchmark.h>

#include "harness/benchmarks/bench_support.hpp"
#include "harness/in_flight_integral.hpp"
#include "harness/slots.hpp"

namespace precipice::bench {
namespace {

constexpr std::size_t kRequests = 1 << 20;

enum class Side { model, generator, both };

template <bool Clocked>
std::int64_t stamp(std::int64_t otherwise) {
  if constexpr (Clocked) return now_ns();
  return otherwise;
}

template <Side Of, bool Clocked>
void record(Slots& slots, InFlightIntegral& in_flight, std::size_t id) {
  const auto made_up = static_cast<std::int64_t>(id);
  if constexpr (Of != Side::model) {
    const std::int64_t at = stamp<Clocked>(made_up);
    Sent& sent = slots.sent(id);
    sent.dispatch_ns = at;
    in_flight.enter(at);
    sent.submit_ns = static_cast<std::int32_t>(stamp<Clocked>(made_up + 1) - at);
  }
  if constexpr (Of != Side::generator) {
    slots[id].begin_ns = stamp<Clocked>(made_up);
    benchmark::ClobberMemory();  // the workload is between these, so its stores cannot be joined
    const std::int64_t at = stamp<Clocked>(made_up + 2);
    slots.complete(id, at, Outcome::ok(id));
    in_flight.leave(at);
  }
}

// The time of an iteration is the time per request. Every pass takes fresh slots, as a trial does.
template <Side Of, bool Clocked>
void recording(benchmark::State& state) {
  const OnDriverCpu pinned;
  for (auto _ : state) {
    Slots slots(kRequests);
    InFlightIntegral in_flight;
    const std::int64_t start = now_ns();
    for (std::size_t id = 0; id < kRequests; ++id) record<Of, Clocked>(slots, in_flight, id);
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start) / kRequests);
    benchmark::DoNotOptimize(in_flight.integral_ns());
  }
}

void one_clock_read(benchmark::State& state) {
  const OnDriverCpu pinned;
  for (auto _ : state) benchmark::DoNotOptimize(now_ns());
}

BENCHMARK(recording<Side::model, false>)->Name("Recording/model")->UseManualTime()->Iterations(20);
BENCHMARK(recording<Side::generator, false>)
    ->Name("Recording/generator")
    ->UseManualTime()
    ->Iterations(20);
BENCHMARK(recording<Side::both, false>)->Name("Recording/both")->UseManualTime()->Iterations(20);
BENCHMARK(recording<Side::model, true>)
    ->Name("Recording/model_with_clock")
    ->UseManualTime()
    ->Iterations(20);
BENCHMARK(recording<Side::both, true>)
    ->Name("Recording/both_with_clock")
    ->UseManualTime()
    ->Iterations(20);
BENCHMARK(one_clock_read)->Name("Recording/one_clock_read");

}  // namespace
}  // namespace precipice::bench
