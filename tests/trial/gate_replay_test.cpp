#include "harness/trial/gate_replay.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "tests/support/noise_watch.hpp"

namespace precipice {
namespace {

using testing::neighbour;
using testing::quiet_watch;
using testing::stall;
using namespace std::chrono_literals;

TEST(GateReplay, AQuietMachineLosesNoTrial) {
  const ExpectedLoss loss = expected_loss(quiet_watch(), 700ms, 10ms);
  EXPECT_EQ(loss.share, 0);
  EXPECT_TRUE(loss.by_gate.empty());
  EXPECT_EQ(expected_loss(NoiseWatch{}, 1s, 10ms).share, 0) << "nothing was watched";
}

TEST(GateReplay, ANeighbourThatIsAlwaysThereSpoilsEveryTrial) {
  NoiseWatch watch = quiet_watch();
  neighbour(watch, 1, 0.6);
  for (const Nanos trial : {Nanos(400ms), Nanos(900ms), Nanos(30s)}) {
    const ExpectedLoss loss = expected_loss(watch, trial, 10ms);
    EXPECT_EQ(loss.share, 1);
    EXPECT_EQ(loss.by_gate.at(TrialGate::neighbour), 1);
  }
  EXPECT_NEAR(watch.others_share(1), 0.6, 1e-9);
  EXPECT_NEAR(watch.others_share(0), 0, 1e-9);
}

TEST(GateReplay, ALightNeighbourIsBelowTheGate) {
  NoiseWatch watch = quiet_watch();
  neighbour(watch, 1, 0.04);
  EXPECT_EQ(expected_loss(watch, 1s, 10ms).share, 0);
}

TEST(GateReplay, ABurstSpoilsTheTrialsThatMeetIt) {
  NoiseWatch watch = quiet_watch();
  neighbour(watch, 1, 1.0, 900, 1200);
  const double of_short = expected_loss(watch, 200ms, 10ms).share;
  const double of_long = expected_loss(watch, 800ms, 10ms).share;
  EXPECT_GT(of_short, 0.1);
  EXPECT_LT(of_short, 0.5);
  EXPECT_GT(of_long, of_short);
}

TEST(GateReplay, AStallIsMetMoreOftenByLongerTrials) {
  NoiseWatch watch = quiet_watch();
  stall(watch.samples, 1, 1020, 6'000'000);
  const double of_short = expected_loss(watch, 200ms, 10ms).share;
  EXPECT_NEAR(of_short, 0.1, 0.03) << "half the SLO is 5 ms";
  EXPECT_EQ(expected_loss(watch, 200ms, 20ms).share, 0) << "and here 10 ms";
  // 10 s are ten stretches of a second, each of which meets it or not.
  const double of_second = expected_loss(watch, 1s, 10ms).share;
  EXPECT_NEAR(expected_loss(watch, 10s, 10ms).share, 1 - std::pow(1 - of_second, 10), 1e-9);
  EXPECT_EQ(expected_loss(watch, 200ms, 0ns).share, 0) << "no SLO is known";
}

}  // namespace
}  // namespace precipice
