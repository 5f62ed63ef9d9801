// What a whole cell and a whole run say about their trials: nothing invalid enters, nothing
// unmeasurable passes for a number, and drift is told with what it touches.
#include "harness/capacity/cell_validity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/plan.hpp"
#include "harness/capacity/record.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/simulated_trial.hpp"

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

TEST(CellValidity, ACalmCellHasNothingToSay) {
  const std::vector<Record> trials(20, record_of(true));
  const CellValidity verdict = cell_validity(trials);
  EXPECT_EQ(verdict.used, 20);
  EXPECT_EQ(verdict.text(), "");
  EXPECT_EQ(cell_validity({}).text(), "");
}

TEST(CellValidity, StealIsPooledOverTheTrialsThatCount) {
  // Half a CPU-second each: a tick passes the gate of every one of them, and all together do not.
  std::vector<Record> trials(20, record_of(true));
  for (Record& record : trials) {
    record.trial.cpu_seconds = 0.5;
    record.trial.steal_ticks = 1;
    record.trial.drained = true;
    GateInput input;
    HostReport& host = input.host.emplace();
    host.cpu_seconds = 0.5;
    host.steal_ticks = 1;
    Trial alone;
    apply_gates(input, alone);
    ASSERT_TRUE(alone.valid);
  }
  const CellValidity verdict = cell_validity(trials);
  EXPECT_TRUE(verdict.steal.exceeded());
  EXPECT_DOUBLE_EQ(verdict.steal.ticks, 20);
  EXPECT_DOUBLE_EQ(verdict.steal.cpu_seconds, 10);
  ASSERT_EQ(verdict.marks.size(), 1U);
  EXPECT_NE(verdict.text().find("20 ticks in the 10.0 CPU-seconds of its 20 valid trials"),
            std::string::npos)
      << verdict.text();

  for (std::size_t i = 0; i < 10; ++i) trials[i].trial.steal_ticks = 0;
  EXPECT_EQ(cell_validity(trials).text(), "");  // a tick a second
}

TEST(CellValidity, NamesTheSettingOfTheMachineThatInterruptedItsTrials) {
  const InvalidReason quota{Cause::host, TrialGate::throttling,
                            "the CPU quota throttled this process"};
  const InvalidReason stall{Cause::host, TrialGate::neighbour, "other processes"};
  std::vector<Record> trials(3, record_of(true));
  trials.push_back(record_of(false, {stall, quota}));
  EXPECT_EQ(cell_validity(trials).text(),
            "1 of 4 trials are invalid because the CPU quota throttled this process");
  EXPECT_EQ(cell_validity(trials).unmeasured, "");
  const std::vector<Record> none(2, record_of(false, {stall, quota}));
  EXPECT_NE(cell_validity(none).unmeasured.find("the host (throttling): the CPU quota throttled"),
            std::string::npos)
      << cell_validity(none).unmeasured;
}

TEST(CellValidity, WhatAnInvalidTrialSawDoesNotMarkTheCell) {
  std::vector<Record> trials(20, record_of(true));
  trials.push_back(record_of(false, {{Cause::host, TrialGate::steal, "90 ticks"}}));
  trials.back().trial.steal_ticks = 90;
  trials.back().trial.neighbours.took_ns = 1e9;
  EXPECT_EQ(cell_validity(trials).text(), "");
}

TEST(CellValidity, ANeighbourTooSmallForOneTrialMarksTheCell) {
  std::vector<Record> trials(20, record_of(true));
  for (Record& record : trials) {
    record.trial.neighbours = {0.08e9, 15e6, 1e9};
    ASSERT_FALSE(record.trial.neighbours.exceeded());
  }
  EXPECT_NE(cell_validity(trials).text().find("other processes used 8.0% of a CPU"),
            std::string::npos);
}

TEST(CellValidity, ACellWithoutAValidTrialSaysWhy) {
  std::vector<Record> trials(
      3, record_of(false, {{Cause::host, TrialGate::stall, "all CPUs stalled for 9 ms"}}));
  trials.push_back(record_of(false, {{Cause::generator, TrialGate::self_lag, "late"}}));
  const CellValidity verdict = cell_validity(trials);
  EXPECT_EQ(verdict.unmeasured,
            "none of 4 trials is valid; most often (3 of 4) because of the host "
            "(stall): all CPUs stalled for 9 ms");
  trials.push_back(record_of(true));
  EXPECT_EQ(cell_validity(trials).unmeasured, "");
}

TEST(CellValidity, ABackendThatIsTheBottleneckMakesALowerBound) {
  std::vector<Record> trials(5, record_of(true));
  trials.push_back(record_of(false, {{Cause::backend, TrialGate::backend_busy, "busy"}}));
  trials.back().trial.offered_per_s = 40'000;
  EXPECT_NE(cell_validity(trials).text().find("from 4e+04/s on"), std::string::npos)
      << cell_validity(trials).text();
  EXPECT_NE(cell_validity(trials).text().find("at least what is shown"), std::string::npos);
}

/// Answers from the virtual clock, lets a test spoil trials, and keeps everything.
class ScriptedHost final : public CampaignHost {
 public:
  explicit ScriptedHost(std::function<void(Trial&)> spoil) : spoil_(std::move(spoil)) {}
  Trial measure(const TrialRequest& request) override {
    Trial trial = simulate_trial(request);
    spoil_(trial);
    return trial;
  }
  Calibration calibrate(const Spec&, const CpuSet&) override { return {}; }
  std::optional<Record> find(const std::string&) override { return std::nullopt; }
  std::optional<CalibrationRecord> find_calibration(const std::string&) override {
    return std::nullopt;
  }
  void keep(const Record& record) override { kept.push_back(record); }
  void keep(const CalibrationRecord&) override {}

  std::vector<Record> kept;

 private:
  std::function<void(Trial&)> spoil_;
};

CellSummary campaign_of(ScriptedHost& host) {
  Plan plan;
  plan.clock = ClockKind::virtual_time;
  plan.arrivals = Arrivals::parse("poisson");
  plan.blocks = 3;
  plan.virtual_requests = 20'000;
  plan.models = {Spec{"oracle", {{"mean", "1ms"}}}};
  plan.workloads = {Spec{"empty", {}}};
  return run_campaign(plan, host).cells.front();
}

void spoil(Trial& trial, Cause cause, TrialGate gate) {
  trial.valid = false;
  trial.goodput_per_s = 1e9;  // would be seen in a result at once
  trial.slo_percentile_ns = 1;
  trial.invalid_reasons.push_back({cause, gate, "spoiled"});
}

TEST(CellValidity, InvalidTrialsAreKeptRepeatedThriceAgainAtTheEndAndNeverEnter) {
  // Every trial fails, for good: three repeats of each, and four attempts at the end of the run,
  // all kept, no figure.
  ScriptedHost host([](Trial& trial) { spoil(trial, Cause::generator, TrialGate::self_lag_max); });
  const CellSummary cell = campaign_of(host);
  std::map<std::string, int> attempts;
  for (const Record& record : host.kept) {
    EXPECT_FALSE(record.used);
    ASSERT_EQ(record.trial.invalid_reasons.size(), 1U);
    EXPECT_EQ(record.trial.invalid_reasons.front().text, "spoiled");
    ++attempts[record.key.substr(0, record.key.rfind(" | "))];
  }
  for (const auto& [what, times] : attempts) EXPECT_EQ(times, 8) << what;
  EXPECT_EQ(cell.trials, static_cast<int>(host.kept.size()));
  EXPECT_EQ(cell.invalid, cell.trials);
  for (const Estimate* figure :
       {&cell.result.cliff, &cell.result.cliff5, &cell.result.cliff20, &cell.result.saturation}) {
    EXPECT_EQ(figure->reached, Reached::unmeasured);
    EXPECT_TRUE(std::isnan(figure->value));
  }
  EXPECT_TRUE(std::isnan(cell.result.closed_loop_plateau_per_s));
  EXPECT_NE(cell_validity(cell.points).unmeasured, "");
}

TEST(CellValidity, NoFigureIsMadeOfAnInvalidTrial) {
  // Two of three attempts fail and report nonsense: the result is that of a calm machine.
  ScriptedHost calm([](Trial&) {});
  const CellSummary expected = campaign_of(calm);
  int count = 0;
  ScriptedHost noisy([&count](Trial& trial) {
    if (++count % 3 != 0) spoil(trial, Cause::generator, TrialGate::self_lag_max);
  });
  const CellSummary cell = campaign_of(noisy);
  EXPECT_EQ(cell.invalid, 2 * static_cast<int>(calm.kept.size()));
  EXPECT_DOUBLE_EQ(cell.result.cliff.value, expected.result.cliff.value);
  EXPECT_DOUBLE_EQ(cell.result.saturation.value, expected.result.saturation.value);
  EXPECT_EQ(cell_validity(cell.points).text(), "");
}

TEST(CellValidity, WhatTheBackendCannotCarryIsNotReached) {
  ScriptedHost limited([](Trial& trial) {
    if (trial.request.closed == 0 && trial.request.rate_per_s >= 300) {
      spoil(trial, Cause::backend, TrialGate::backend_busy);
    }
  });
  const CellSummary cell = campaign_of(limited);
  EXPECT_EQ(cell.result.cliff.reached, Reached::above);
  EXPECT_LT(cell.result.cliff.value, 300);
  EXPECT_NE(cell_validity(cell.points).text().find("backend"), std::string::npos);
}

}  // namespace
}  // namespace precipice
