// A look at the machine with the generator that trials use.
#pragma once

#include "harness/host/noise_floor.hpp"
#include "harness/trial/gate_replay.hpp"
#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// Offers 2,000 requests a second on the generator's CPUs, with the generator that trials use, to a
/// model that does nothing, and watches both sets of CPUs meanwhile, with the kernel's counters
/// every 50 ms and the processes before and after. Takes `watch` and about 20 ms.
/// Throws Unavailable when a CPU cannot be used.
NoiseWatch watch_noise(const CpuSet& generator_cpus, const CpuSet& model_cpus, Nanos watch);

/// The samples of watch_noise alone.
NoiseSamples sample_noise(const CpuSet& generator_cpus, const CpuSet& model_cpus, Nanos watch);

}  // namespace precipice
