// What an overload leaves behind, and how long it takes to work it off.
#include "harness/capacity/recovery.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/simulated_trial.hpp"

namespace precipice {
namespace {

TrialRequest overload_of(double rate_per_s, Nanos drain) {
  TrialRequest request;
  request.model = {"oracle", {{"servers", "2"}, {"service", "fixed"}, {"mean", "1ms"}}};
  request.workload = {"empty", {}};
  request.rate_per_s = rate_per_s;
  request.arrivals = Arrivals::parse("fixed");
  request.warmup = std::chrono::seconds(1);
  request.window = std::chrono::seconds(2);
  request.drain = drain;
  request.slo = std::chrono::milliseconds(10);
  request.clock = ClockKind::virtual_time;
  return request;
}

Record record_of(Trial trial, int block = 0) {
  Record record;
  record.phase = Phase::overload;
  record.block = block;
  record.used = true;
  record.trial = std::move(trial);
  return record;
}

Record drained(double seconds, std::uint64_t backlog, bool in_time, int block) {
  Trial trial;
  trial.request.rate_per_s = 1500;
  trial.backlog = backlog;
  trial.drain_s = seconds;
  trial.drained = in_time;
  return record_of(std::move(trial), block);
}

TEST(Recovery, OfAQueueThatKeepsItsPaceIsOne) {
  const Trial trial = simulate_trial(overload_of(3000, std::chrono::seconds(3)));
  // 3,000/s for 3 s into what serves 2,000/s leaves 3,000 requests, 1.5 s of work.
  EXPECT_NEAR(static_cast<double>(trial.backlog), 3000, 5);
  EXPECT_NEAR(trial.drain_s, 1.5, 0.005);
  EXPECT_TRUE(trial.drained);
  const std::vector<Record> records = {record_of(trial)};
  const Estimate estimate = recovery(records, 2000);
  EXPECT_EQ(estimate.reached, Reached::ok);
  EXPECT_NEAR(estimate.value, 1, 0.005);
}

TEST(Recovery, IsALowerBoundWhereTheDeadlineCameFirst) {
  const Trial trial = simulate_trial(overload_of(3000, std::chrono::seconds(1)));
  EXPECT_FALSE(trial.drained);
  EXPECT_NEAR(trial.drain_s, 1.0, 1e-9);
  const std::vector<Record> records = {record_of(trial)};
  const Estimate estimate = recovery(records, 2000);
  EXPECT_EQ(estimate.reached, Reached::above);
  EXPECT_NEAR(estimate.value, 1.0 * 2000 / 3000, 0.01);
  EXPECT_TRUE(std::isinf(estimate.high));
}

TEST(Recovery, IsTheMedianOfTheBlocksWithItsInterval) {
  const std::vector<Record> records = {drained(1.0, 1000, true, 0), drained(1.2, 1000, true, 1),
                                       drained(1.1, 1000, true, 2)};
  const Estimate estimate = recovery(records, 1000);
  EXPECT_EQ(estimate.reached, Reached::ok);
  EXPECT_DOUBLE_EQ(estimate.value, 1.1);
  EXPECT_LT(estimate.low, 1.0);
  EXPECT_GT(estimate.high, 1.2);
}

TEST(Recovery, OfASlowerHalfIsNotReached) {
  const std::vector<Record> records = {drained(1.0, 1000, true, 0), drained(2.0, 1000, false, 1)};
  const Estimate estimate = recovery(records, 1000);
  EXPECT_EQ(estimate.reached, Reached::above);
  EXPECT_DOUBLE_EQ(estimate.value, 2.0);
}

TEST(Recovery, SaysNothingWithoutABacklogOrAnOverload) {
  EXPECT_EQ(recovery({}, 1000).reached, Reached::unmeasured);
  const std::vector<Record> small = {drained(0.01, 5, true, 0)};
  EXPECT_EQ(recovery(small, 1000).reached, Reached::unmeasured);
  std::vector<Record> stable = {drained(1.0, 1000, true, 0)};
  stable.front().trial.stable = true;
  EXPECT_EQ(recovery(stable, 1000).reached, Reached::unmeasured);
  std::vector<Record> invalid = {drained(1.0, 1000, true, 0)};
  invalid.front().used = false;
  EXPECT_EQ(recovery(invalid, 1000).reached, Reached::unmeasured);
  const std::vector<Record> good = {drained(1.0, 1000, true, 0)};
  EXPECT_EQ(recovery(good, std::nan("")).reached, Reached::unmeasured);
}

}  // namespace
}  // namespace precipice
