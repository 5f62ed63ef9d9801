// What a quiet machine shows of its noise, and stalls to put into it.
#pragma once

#include <cstdint>

#include "harness/host/noise_floor.hpp"

namespace precipice::testing {

/// `seconds` of probes every millisecond on two CPUs, all 20 us late, but for the given stalls.
inline NoiseSamples quiet(double seconds = 2) {
  NoiseSamples samples;
  samples.watched_s = seconds;
  samples.cpus = 2;
  for (int cpu = 0; cpu < 2; ++cpu) {
    for (int ms = 0; ms < static_cast<int>(seconds * 1000); ++ms)
      samples.stalls.push_back({cpu, ms * 1'000'000LL, 20'000});
  }
  for (int i = 0; i < static_cast<int>(seconds * 2000); ++i)
    samples.self_lags.push_back({i * 500'000LL, 100});
  return samples;
}

inline void stall(NoiseSamples& samples, int cpu, std::int64_t at_ms, std::int64_t length_ns) {
  samples.stalls.push_back({cpu, at_ms * 1'000'000, length_ns});
}

}  // namespace precipice::testing
