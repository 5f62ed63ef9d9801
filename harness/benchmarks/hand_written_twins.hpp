// Hand-written twins of two models: the same threads and the same queue, but plain structs in it
// and plain calls out of it. No coroutine, no Io, no virtual call. What a model takes longer than
// its twin is the price of the abstraction.
#pragma once

#include <memory>

#include "harness/trial/slots.hpp"
#include "models/cpu_set.hpp"
#include "models/in_flight_integral.hpp"
#include "workloads/cpu_work.hpp"

namespace precipice::bench {

/// A closed loop of CPU work: `depth` requests in flight, each end followed on the same thread by
/// the next request, until the slots are used up. Stamps as in a trial.
struct TwinRun {
  const CpuWork& work;
  Slots& slots;
  InFlightIntegral& in_flight;
  std::uint64_t schedule_seed = 1;
  std::uint64_t depth = 256;
};

/// As event_loop on one CPU: one io_context run by one pinned thread, handlers posted to it.
/// Returns when the last request has ended.
void run_loop_twin(const TwinRun& run, const CpuSet& cpus);
/// As fixed_pool: `threads` threads, a deque under a mutex with a condition variable.
void run_pool_twin(const TwinRun& run, const CpuSet& cpus, unsigned threads);

}  // namespace precipice::bench
