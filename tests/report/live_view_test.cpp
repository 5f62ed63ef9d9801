#include "harness/report/live_view.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "harness/capacity/record.hpp"
#include "harness/report/capacity_so_far.hpp"

namespace precipice {
namespace {

// The live view.

Record taken(const std::string& series, double rate_per_s, double p99_ns, bool valid = true) {
  Record record;
  record.series = series;
  record.workload = "sleep";
  record.key = series + std::to_string(rate_per_s);
  record.slo_ns = 1e7;
  record.trial.valid = valid;
  record.trial.stable = true;
  record.trial.request.rate_per_s = rate_per_s;
  record.trial.goodput_per_s = rate_per_s;
  record.trial.slo_percentile_ns = std::lround(p99_ns);
  return record;
}

CapacitySoFar seven_series() {
  CapacitySoFar so_far;
  for (const char* series : {"thread_per_request", "fixed_pool:threads=8", "fixed_pool:threads=64",
                             "fixed_pool:threads=512", "event_loop", "io_uring", "work_stealing"}) {
    so_far.take(taken(series, 1000, 5e6));
    so_far.take(taken(series, 2000, 5e7));
    so_far.take(taken(series, 3000, 5e6, false));
  }
  return so_far;
}

CampaignHost::Progress under_way() {
  CampaignHost::Progress progress;
  progress.cell = 3;
  progress.cells = 21;
  progress.series = "fixed_pool:threads=512";
  progress.workload = "sleep";
  progress.rate_per_s = 1500;
  progress.elapsed_s = 61;
  progress.left_s = 300;
  return progress;
}

TEST(LiveView, CapacitySoFarIsTheHighestRateThatHeldTheSloInAValidTrial) {
  CapacitySoFar so_far = seven_series();
  so_far.take(taken("event_loop", 1000, 5e6));  // known by its key: counts once
  Record lossy = taken("event_loop", 1800, 5e6);
  lossy.trial.counts.scheduled = 1000;
  lossy.trial.counts.sent = 1000;
  lossy.trial.counts.completed = 900;
  lossy.trial.counts.shed = 100;
  so_far.take(lossy);
  Record closed = taken("event_loop", 0, 1e6);
  closed.trial.request.closed = 64;
  closed.trial.goodput_per_s = 9000;
  so_far.take(closed);
  const auto all = so_far.of_workload("sleep");
  ASSERT_EQ(all.size(), 7u);
  EXPECT_EQ(all[4].series, "event_loop");
  EXPECT_EQ(all[4].holds_per_s, 1000);
  EXPECT_EQ(all[4].carries_per_s, 9000);
  EXPECT_EQ(all[4].trials, 5);
  EXPECT_EQ(all[4].invalid, 1);
  EXPECT_EQ(so_far.invalid(), 7);
  EXPECT_EQ(so_far.trials(), 23);
}

TEST(LiveView, EverySeriesHasItsLineAndTheOneUnderWayIsMarked) {
  const auto lines = live_view(under_way(), seven_series(), 100, 30);
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_NE(lines[0].find("cell 3/21"), std::string::npos);
  EXPECT_EQ(lines[4].front(), '>');
  EXPECT_NE(lines[4].find("fixed_pool:threads=512"), std::string::npos);
  EXPECT_NE(lines[4].find("holds   1000/s  carries   2000/s  invalid 1/3"), std::string::npos)
      << lines[4];
  EXPECT_EQ(lines.back(), "  7 of 21 trials invalid  1 min 1 s elapsed, 5 min 0 s left");
}

TEST(LiveView, NeverExceedsTheScreenAndKeepsTheInvalidTrials) {
  for (const std::size_t width : {20u, 34u, 60u, 100u}) {
    for (const std::size_t height : {1u, 2u, 3u, 5u, 9u, 40u}) {
      const auto lines = live_view(under_way(), seven_series(), width, height);
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(line.size(), width) << line;
      if (height < 2) continue;
      EXPECT_EQ(lines.back().substr(0, 10), "  7 of 21 ") << lines.back();
      if (height < 3) continue;
      EXPECT_EQ(lines[lines.size() > 5 ? 4 : 1].front(), '>');
    }
  }
}

}  // namespace
}  // namespace precipice
