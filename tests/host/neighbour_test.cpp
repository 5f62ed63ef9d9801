#include "harness/host/neighbour.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "models/random.hpp"

namespace precipice {
namespace {

/// What the kernel would charge for a CPU that is ours for `own` and a neighbour's for `others` of
/// the time: at each tick one of them, or nobody, happens to run.
SideTime sampled(double own, double others, Random& random) {
  SideTime side;
  side.tick_ns = 4e6;
  side.elapsed_ns = 1.3e9;
  side.own_ns = own * side.elapsed_ns;
  double busy = 0;
  for (double at = 0; at < side.elapsed_ns; at += side.tick_ns) {
    if (random.uniform() < own + others) busy += side.tick_ns;
  }
  side.busy_ns = {std::floor(busy / 10e6) * 10e6};
  return side;
}

TEST(OtherProcesses, TheNoiseOfSamplingIsNobody) {
  Random random(7);
  int blamed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double own = random.uniform();
    blamed += neighbours(sampled(own, 0, random)).exceeded();
  }
  EXPECT_EQ(blamed, 0);
}

TEST(OtherProcesses, AThirdOfACpuIsSeenWhateverTheModelUses) {
  Random random(8);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(neighbours(sampled(random.uniform() * 2 / 3, 1.0 / 3, random)).exceeded());
  }
}

TEST(OtherProcesses, ASaturatedCpuIsJudgedToATwelfth) {
  SideTime side;
  side.elapsed_ns = 1.3e9;
  side.busy_ns = {1.3e9};
  side.own_ns = 1.3e9 * (1 - 1.0 / 12);
  EXPECT_TRUE(neighbours(side).exceeded());
  side.own_ns = 1.3e9 * (1 - 1.0 / 25);
  EXPECT_FALSE(neighbours(side).exceeded());
}

TEST(OtherProcesses, ManyTrialsShowWhatOneCannot) {
  Random random(9);
  OtherProcesses pooled, calm;
  int alone = 0;
  for (int i = 0; i < 100; ++i) {
    const OtherProcesses one = neighbours(sampled(0.5, 0.08, random));
    alone += one.exceeded();
    pooled += one;
    calm += neighbours(sampled(0.5, 0, random));
  }
  EXPECT_LT(alone, 20);
  EXPECT_TRUE(pooled.exceeded());
  EXPECT_FALSE(calm.exceeded());
}

}  // namespace
}  // namespace precipice
