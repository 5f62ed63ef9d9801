// How many trials the noise of a machine would make invalid: the gates applied to what an idle
// watch saw.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "harness/host/noise_floor.hpp"
#include "harness/host/process_times.hpp"
#include "harness/trial/invalid_reason.hpp"
#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// What a generator that offers to nobody saw, with the counters of the kernel on the way.
struct NoiseWatch {
  /// Counters since boot, or since the process began.
  struct Moment {
    std::int64_t at_ns = 0;
    std::map<int, double> busy_ns;  ///< by CPU, without interrupts and ksoftirqd
    double steal_ticks = 0;
    double process_cpu_ns = 0;  ///< of this process
    double sampler_cpu_ns = 0;  ///< of its thread that reads the counters, on the model's CPUs
    std::optional<std::uint64_t> throttled_periods;
  };
  NoiseSamples samples;
  CpuSet generator_cpus, model_cpus;
  std::vector<Moment> moments;        ///< in order of time
  double probe_share = 0;             ///< of its CPU, used by each probe of the watch
  std::vector<ProcessUse> processes;  ///< on these CPUs meanwhile

  /// What other processes used of a CPU over the watch, as a share; NaN where it is not known.
  double others_share(int cpu) const;
};

/// The share of trials that would be invalid, and of those that each gate makes so.
struct ExpectedLoss {
  double share = 0;
  std::map<TrialGate, double> by_gate;
};

/// Applies the gates to every stretch of the watch as long as a trial (warm-up and window), one
/// beginning at each moment. A trial that is longer than half of the watch is taken as several such
/// stretches: it meets the stalls of each, while a share (neighbours, steal, late arrivals) stays
/// the same. `slo`: 0 where it is not known; then nothing is judged that depends on it.
ExpectedLoss expected_loss(const NoiseWatch& watch, Nanos trial, Nanos slo);

}  // namespace precipice
