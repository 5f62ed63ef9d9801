#include "workloads/stage_buffer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "models/random.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

Time at(Nanos since_epoch) { return Time(since_epoch); }

TEST(StageBuffer, AFlushTimerHoldsTheFirstForAllOfItsPeriod) {
  StageBuffer buffer(StageBuffer::Kind::linger, 5ms);
  EXPECT_EQ(buffer.departure(at(100ms)), at(105ms));
  EXPECT_EQ(buffer.departure(at(103ms)), at(105ms));
  EXPECT_EQ(buffer.departure(at(105ms)), at(105ms));
  EXPECT_EQ(buffer.departure(at(105ms + 1ns)), at(110ms + 1ns));
}

TEST(StageBuffer, ATickIsAMultipleOfItsPeriodAfterItsPhase) {
  StageBuffer buffer(StageBuffer::Kind::tick, 10ms, 3ms);
  EXPECT_EQ(buffer.departure(at(0ms)), at(3ms));
  EXPECT_EQ(buffer.departure(at(3ms)), at(3ms));
  EXPECT_EQ(buffer.departure(at(3ms + 1ns)), at(13ms));
  EXPECT_EQ(buffer.departure(at(109ms)), at(113ms));
}

TEST(StageBuffer, PoissonArrivalsWaitAtAFlushTimerAsTheClosedFormSays) {
  // A cycle has one arrival that waits for T, and L T more that wait for T / 2 on average.
  for (const double arrivals_per_period : {0.2, 1.0, 5.0}) {
    constexpr Nanos kPeriod = 1ms;
    StageBuffer buffer(StageBuffer::Kind::linger, kPeriod);
    Random random(3);
    constexpr int kArrivals = 200'000;
    double now_ns = 0, waited_ns = 0;
    for (int i = 0; i < kArrivals; ++i) {
      now_ns -= std::log(random.uniform_positive()) * 1e6 / arrivals_per_period;
      const Time arrival = at(Nanos(static_cast<std::int64_t>(now_ns)));
      waited_ns += static_cast<double>((buffer.departure(arrival) - arrival).count());
    }
    const double a = arrivals_per_period;
    EXPECT_NEAR(waited_ns / kArrivals / 1e6, (1 + a / 2) / (1 + a), 0.005) << a;
  }
}

TEST(StageBuffer, TicksOfAllPhasesHoldForHalfATickOnAverage) {
  Random random(4);
  for (const Nanos phase : {0ms, 30ms}) {
    StageBuffer buffer(StageBuffer::Kind::tick, 50ms, phase);
    constexpr int kArrivals = 100'000;
    double waited_ns = 0;
    for (int i = 0; i < kArrivals; ++i) {
      const Time arrival = at(Nanos(static_cast<std::int64_t>(random.uniform() * 1e12)));
      waited_ns += static_cast<double>((buffer.departure(arrival) - arrival).count());
    }
    EXPECT_NEAR(waited_ns / kArrivals / 1e6, 25, 0.25);
  }
}

}  // namespace
}  // namespace precipice
