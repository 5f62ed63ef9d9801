#include "harness/host/noise_floor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/host/doctor.hpp"
#include "tests/support/noise_samples.hpp"

namespace precipice {
namespace {

using testing::quiet;
using testing::stall;

constexpr Nanos kWindow = std::chrono::milliseconds(500);

TEST(NoiseFloor, OfAQuietMachineIsTwiceItsTimerError) {
  const NoiseFloor floor(quiet());
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(40'000));
  EXPECT_EQ(floor.smallest_service(kWindow), Nanos(4'000));
  EXPECT_EQ(floor.lost_share(40'000, kWindow), 0);
  EXPECT_EQ(floor.lost_share(39'998, kWindow), 1);
}

TEST(NoiseFloor, CountsAStallOfAllCpusOnce) {
  NoiseSamples samples = quiet();
  stall(samples, 0, 101, 5'000'000);
  stall(samples, 1, 102, 5'000'000);
  const NoiseFloor floor(samples);
  // One event in 2 s: a window of half a second meets it with 1 - (199/200)^50.
  EXPECT_NEAR(floor.lost_share(1e6, kWindow), 1 - std::pow(199.0 / 200, 50), 1e-9);
  EXPECT_EQ(floor.lost_share(10e6, kWindow), 0) << "half the SLO is not exceeded";
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(40'000)) << "one in 2 s leaves most windows alone";
  ASSERT_EQ(floor.longest_stalls().size(), 2u);
  EXPECT_EQ(floor.longest_stalls()[1].longest_ns, 5'000'000);
}

TEST(NoiseFloor, LiesWhereHalfOfTheWindowsAreClean) {
  NoiseSamples samples = quiet();
  // Twenty stalls of 1 to 20 ms, one every 100 ms.
  for (int i = 0; i < 20; ++i) stall(samples, i % 2, 100 * i + 5, (i + 1) * 1'000'000LL);
  const NoiseFloor floor(samples);
  // 1 - 0.5^(1/50) = 1.38% of 200 parts: two longer stalls are borne, so the third longest decides.
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(36'000'000));
  EXPECT_LE(floor.lost_share(36e6, kWindow), 0.5);
  EXPECT_GT(floor.lost_share(36e6 - 2, kWindow), 0.5);
  EXPECT_GT(floor.smallest_slo(std::chrono::seconds(2)), floor.smallest_slo(kWindow))
      << "longer windows meet more";
}

TEST(NoiseFloor, RisesWithTheGeneratorsOwnLag) {
  NoiseSamples samples = quiet();
  for (std::size_t i = 0; i < samples.self_lags.size(); i += 50)
    samples.self_lags[i].late_ns = 80'000;
  const NoiseFloor floor(samples);
  EXPECT_EQ(floor.self_lag_p99_ns(), 80'000);
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(4'000'000)) << "80 us are 2% of it";
  EXPECT_GT(floor.lost_share(3.9e6, kWindow), 0.99);
  EXPECT_EQ(floor.lost_share(4e6, kWindow), 0);

  NoiseSamples within = quiet();
  for (auto& lag : within.self_lags) lag.late_ns = 50'000;
  EXPECT_EQ(NoiseFloor(within).smallest_slo(kWindow), Nanos(100'000)) << "50 us are always allowed";
}

TEST(NoiseFloor, DoesNotCondemnTheMachineForOnePreemptionInAShortLook) {
  NoiseSamples samples = quiet(0.4);
  // 4 ms on the generator's CPU: 8 of 800 arrivals are late, which is p99.
  for (std::size_t i = 0; i < 9; ++i)
    samples.self_lags[200 + i].late_ns = 4'000'000 - static_cast<std::int64_t>(i) * 400'000;
  const NoiseFloor floor(samples);
  EXPECT_GT(floor.self_lag_p99_ns(), 50'000);
  EXPECT_GT(floor.lost_to_lag(200e3, kWindow), 0.3);
  EXPECT_LT(floor.lost_to_lag(200e3, kWindow), 0.9);
  EXPECT_EQ(floor.lost_to_lag(200e6, kWindow), 0);
}

TEST(NoiseFloor, HasNoSloWhereTheHostSteals) {
  NoiseSamples samples = quiet();
  samples.steal_ticks = 5;
  EXPECT_EQ(NoiseFloor(samples).smallest_slo(kWindow), std::nullopt);
  EXPECT_EQ(NoiseFloor(samples).lost_share(1e12, kWindow), 1);
  samples.steal_ticks = 4;  // one per CPU-second, which the gate allows
  EXPECT_NE(NoiseFloor(samples).smallest_slo(kWindow), std::nullopt);
}

TEST(NoiseFloor, OfNoSamplesClaimsNothing) {
  const NoiseFloor floor;
  EXPECT_EQ(floor.lost_share(1, kWindow), 0);
  EXPECT_NO_THROW(to_json(floor, kWindow));
}

}  // namespace
}  // namespace precipice
