// A watch of an idle machine of two CPUs, the generator's 0 and the model's 1, and what uses them.
#pragma once

#include <cstdint>

#include "harness/trial/gate_replay.hpp"
#include "tests/support/noise_samples.hpp"

namespace precipice::testing {

inline NoiseWatch quiet_watch(double seconds = 2) {
  NoiseWatch watch;
  watch.samples = quiet(seconds);
  watch.generator_cpus = CpuSet({0});
  watch.model_cpus = CpuSet({1});
  for (std::int64_t ms = 0; ms <= static_cast<std::int64_t>(seconds * 1000); ms += 50) {
    NoiseWatch::Moment& moment = watch.moments.emplace_back();
    moment.at_ns = ms * 1'000'000;
    // The generator spins.
    moment.process_cpu_ns = static_cast<double>(moment.at_ns);
    moment.busy_ns = {{0, moment.process_cpu_ns}, {1, 0}};
  }
  return watch;
}

/// Other processes use this share of a CPU from one time on to another.
inline void neighbour(NoiseWatch& watch, int cpu, double share, std::int64_t from_ms = 0,
                      std::int64_t to_ms = 1'000'000) {
  std::int64_t last_ns = 0;
  double used_ns = 0;
  for (NoiseWatch::Moment& moment : watch.moments) {
    if (moment.at_ns > from_ms * 1'000'000 && moment.at_ns <= to_ms * 1'000'000)
      used_ns += share * static_cast<double>(moment.at_ns - last_ns);
    last_ns = moment.at_ns;
    moment.busy_ns[cpu] += used_ns;
  }
}

}  // namespace precipice::testing
