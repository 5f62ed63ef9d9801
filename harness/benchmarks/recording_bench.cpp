// What it costs to record one request: the stores into its slot and the steps of the in-flight
// integral, on the side of the generator (dispatch) and on that of the model (begin and end). The
// clock is read four times a request in a trial; those reads are added in the second pair.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/trial/slots.hpp"
#include "models/in_flight_integral.hpp"

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
void record(Slots& slots, InFlightIntegral& in_flight, InFlightIntegral::Entrance& entrance,
            std::size_t id) {
  const auto made_up = static_cast<std::int64_t>(id);
  if constexpr (Of != Side::model) {
    const std::int64_t at = stamp<Clocked>(made_up);
    Sent& sent = slots.sent(id);
    sent.dispatch_ns = at;
    entrance.enter(at);
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
    InFlightIntegral::Entrance entrance(in_flight);
    const std::int64_t start = now_ns();
    for (std::size_t id = 0; id < kRequests; ++id)
      record<Of, Clocked>(slots, in_flight, entrance, id);
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start) / kRequests);
    benchmark::DoNotOptimize(in_flight.integral_ns());
  }
}

void one_clock_read(benchmark::State& state) {
  const OnDriverCpu pinned;
  for (auto _ : state) benchmark::DoNotOptimize(now_ns());
}

}  // namespace

void register_recording() {
  const std::pair<const char*, void (*)(benchmark::State&)> kinds[] = {
      {"model", recording<Side::model, false>},
      {"generator", recording<Side::generator, false>},
      {"both", recording<Side::both, false>},
      {"model_with_clock", recording<Side::model, true>},
      {"both_with_clock", recording<Side::both, true>}};
  for (const auto& [name, function] : kinds) {
    benchmark::RegisterBenchmark((std::string("Recording/") + name).c_str(), function)
        ->UseManualTime()
        ->Iterations(20);
  }
  benchmark::RegisterBenchmark("Recording/one_clock_read", one_clock_read)->MinTime(0.1);
}

}  // namespace precipice::bench
