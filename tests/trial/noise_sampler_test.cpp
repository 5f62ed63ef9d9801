#include "harness/trial/noise_sampler.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace precipice {
namespace {

TEST(NoiseFloor, IsSampledWithTheRealGeneratorAndWatch) {
  const CpuSet allowed = CpuSet::of_this_thread();
  const CpuSet first({allowed.list().front()});
  const NoiseSamples samples = sample_noise(first, allowed, std::chrono::milliseconds(100));
  EXPECT_EQ(samples.self_lags.size(), 200u) << "2,000 a second, none left out";
  EXPECT_EQ(samples.cpus, static_cast<int>(allowed.size()));
  EXPECT_FALSE(samples.stalls.empty());
  for (const auto& lag : samples.self_lags) EXPECT_GE(lag.late_ns, 0) << "never early";
}

}  // namespace
}  // namespace precipice
