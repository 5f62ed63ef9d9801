#include "harness/capacity/speed_drift.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/stats/estimate.hpp"

namespace precipice {
namespace {

Record record_of(bool used, std::vector<InvalidReason> reasons = {}) {
  Record record;
  record.used = record.trial.valid = used;
  record.trial.invalid_reasons = std::move(reasons);
  record.trial.cpu_seconds = 2;
  record.trial.neighbours = {0, 5e6, 1e9};
  return record;
}

SpeedSample sample(const std::string& series, int block, double speed_ns, bool computes = true) {
  return {series, computes ? "cpu" : "sleep", block, computes, speed_ns};
}

bool says(const SpeedDrift& drift, const std::string& part) {
  for (const std::string& sentence : drift.sentences) {
    if (sentence.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST(SpeedDrift, ASteadyMachineIsSaidToBeSteady) {
  std::vector<SpeedSample> samples;
  for (int i = 0; i < 100; ++i) {
    samples.push_back(sample(i % 2 == 0 ? "a" : "b", i / 20, 300e3 * (1 + 0.0001 * (i % 10))));
  }
  const SpeedDrift drift = speed_drift(samples);
  EXPECT_FALSE(drift.drifted());
  EXPECT_TRUE(drift.touched.empty());
  EXPECT_TRUE(says(drift, "held"));
  EXPECT_TRUE(speed_drift({}).sentences.empty());
  EXPECT_FALSE(speed_drift({}).drifted());
}

TEST(SpeedDrift, OneSlowProbeIsNoDrift) {
  std::vector<SpeedSample> samples(99, sample("a", 0, 300e3));
  samples.push_back(sample("a", 0, 900e3));
  const SpeedDrift drift = speed_drift(samples);
  EXPECT_FALSE(drift.drifted());
  EXPECT_DOUBLE_EQ(drift.slowest_ns, 900e3);
}

TEST(SpeedDrift, BlocksOfDifferentSpeedTouchRatesAndNotRatios) {
  std::vector<SpeedSample> samples;
  for (int block = 0; block < 3; ++block) {
    for (int i = 0; i < 10; ++i) {
      samples.push_back(sample("a", block, 300e3 * (1 + 0.1 * block)));
      samples.push_back(sample("b", block, 300e3 * (1 + 0.1 * block)));
    }
  }
  const SpeedDrift drift = speed_drift(samples);
  EXPECT_TRUE(drift.drifted());
  EXPECT_NEAR(drift.between_blocks, 0.2, 1e-9);
  EXPECT_NEAR(drift.within_blocks, 0, 1e-9);
  EXPECT_EQ(drift.slowest_block, 2);
  EXPECT_EQ(drift.fastest_block, 0);
  EXPECT_TRUE(drift.touched.empty());
  EXPECT_TRUE(says(drift, "Absolute rates and latencies of cpu carry up to 20.0%"));
  EXPECT_TRUE(says(drift, "No comparison of two models on cpu is touched"));
}

TEST(SpeedDrift, NamesTheComparisonThatMetDifferentSpeeds) {
  // In every block the machine is 6% slower by the time that b runs; c and a meet the same speed.
  std::vector<SpeedSample> samples;
  for (int block = 0; block < 4; ++block) {
    for (int i = 0; i < 5; ++i) {
      samples.push_back(sample("a", block, 300e3));
      samples.push_back(sample("b", block, 318e3));
      samples.push_back(sample("c", block, 300e3));
      samples.push_back(sample("b", block, 600e3, false));  // waiting is not touched
    }
  }
  const SpeedDrift drift = speed_drift(samples);
  ASSERT_EQ(drift.touched.size(), 2U);
  for (const SpeedBias& bias : drift.touched) {
    EXPECT_EQ(bias.slower, "b");
    EXPECT_EQ(bias.workload, "cpu");
    EXPECT_NEAR(bias.ratio, 1.06, 1e-9);
    EXPECT_EQ(bias.blocks, 4);
  }
  EXPECT_TRUE(says(drift, "b ran on a machine that was 6.0% slower than what a met"));
}

TEST(SpeedDrift, RandomOrderCancelsDriftInsideBlocks) {
  std::vector<SpeedSample> samples;
  for (int block = 0; block < 4; ++block) {
    const bool a_first = block % 2 == 0;
    samples.push_back(sample("a", block, a_first ? 300e3 : 330e3));
    samples.push_back(sample("b", block, a_first ? 330e3 : 300e3));
  }
  const SpeedDrift drift = speed_drift(samples);
  EXPECT_TRUE(drift.drifted());
  EXPECT_NEAR(drift.within_blocks, 0.1, 1e-9);
  EXPECT_TRUE(drift.touched.empty());
}

TEST(SpeedDrift, ARunTellsItsProbes) {
  CampaignResult run;
  CellSummary& cell = run.cells.emplace_back();
  cell.model = {"fixed_pool", {}};
  cell.workload = {"cpu", {{"work", "200us"}}};
  for (const bool used : {true, false}) {
    Record& record = cell.points.emplace_back(record_of(used));
    record.series = "fixed_pool";
    record.workload = cell.workload.to_string();
    record.block = 2;
    record.trial.speed_ns = 300e3;
  }
  run.service_by_block[cell.workload.to_string()][2].speed_ns = 310e3;
  const std::vector<SpeedSample> samples = speed_samples(run);
  ASSERT_EQ(samples.size(), 2U);  // an invalid trial enters no figure, so its speed does not matter
  EXPECT_TRUE(samples[0].computes);
  EXPECT_EQ(samples[0].series, "fixed_pool");
  EXPECT_EQ(samples[1].series, "");
  EXPECT_TRUE(samples[1].computes);
  EXPECT_EQ(samples[1].block, 2);
}

}  // namespace
}  // namespace precipice
