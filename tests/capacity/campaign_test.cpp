// The order of things: searching, repeating, giving up, and going on where an earlier run stopped.
// On the virtual clock, where a campaign takes a second and has one right answer.
#include "harness/capacity/campaign.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/cpu_set.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

/// Keeps in memory what a store keeps on disk, and lets a test spoil trials.
class Notebook final : public CampaignHost {
 public:
  Trial measure(const TrialRequest& request) override {
    ++measured;
    Trial trial = simulate_trial(request);
    if (spoil) spoil(trial);
    return trial;
  }
  Calibration calibrate(const Spec&, const CpuSet&) override { return {}; }
  std::optional<Record> find(const std::string& key) override {
    const auto found = records.find(key);
    return found == records.end() ? std::nullopt : std::optional<Record>(found->second);
  }
  std::optional<CalibrationRecord> find_calibration(const std::string&) override {
    return std::nullopt;
  }
  void keep(const Record& record) override {
    EXPECT_TRUE(records.emplace(record.key, record).second) << record.key << " was measured twice";
    order.push_back(record.key);
  }
  void keep(const CalibrationRecord&) override {}
  bool stop_requested() override { return measured >= stop_after; }

  std::map<std::string, Record> records;
  std::vector<std::string> order;
  std::function<void(Trial&)> spoil;
  int measured = 0;
  int stop_after = 1 << 30;
};

Plan plan_of(std::map<std::string, std::string> oracle = {{"mean", "1ms"}}) {
  Plan plan;
  plan.clock = ClockKind::virtual_time;
  plan.arrivals = Arrivals::parse("poisson");
  plan.blocks = 3;
  plan.virtual_requests = 20'000;
  plan.models = {Spec{"oracle", std::move(oracle)}};
  plan.workloads = {Spec{"empty", {}}};
  return plan;
}

void expect_same(const Estimate& a, const Estimate& b) {
  EXPECT_EQ(a.reached, b.reached);
  EXPECT_DOUBLE_EQ(a.value, b.value);
  EXPECT_DOUBLE_EQ(a.low, b.low);
  EXPECT_DOUBLE_EQ(a.high, b.high);
}

TEST(Campaign, GoesOnWhereItStoppedAndEndsWithTheSameResult) {
  Notebook whole;
  const CellSummary expected = run_campaign(plan_of(), whole).cells.front();
  ASSERT_EQ(expected.result.cliff.reached, Reached::ok);
  for (const int stop : {1, 7, 20, whole.measured - 1}) {
    Notebook interrupted;
    interrupted.stop_after = stop;
    EXPECT_TRUE(run_campaign(plan_of(), interrupted).interrupted);
    EXPECT_EQ(interrupted.measured, stop);

    Notebook resumed;
    resumed.records = interrupted.records;
    const CellSummary result = run_campaign(plan_of(), resumed).cells.front();
    EXPECT_EQ(resumed.measured, whole.measured - stop);  // nothing again, nothing left out
    EXPECT_EQ(resumed.records.size(), whole.records.size());
    EXPECT_EQ(result.trials, expected.trials);
    expect_same(result.result.cliff, expected.result.cliff);
    expect_same(result.result.saturation, expected.result.saturation);
  }
}

TEST(Campaign, RepeatsAnInvalidTrialAndLeavesItOutOfTheResult) {
  Notebook calm;
  const CellSummary expected = run_campaign(plan_of(), calm).cells.front();

  // Every first attempt is spoiled, and reports nonsense.
  std::map<double, int> attempts;
  Notebook noisy;
  noisy.spoil = [&attempts](Trial& trial) {
    const double what = trial.request.rate_per_s +
                        1e12 * static_cast<double>(trial.request.closed) +
                        static_cast<double>(trial.request.seed % 1000) * 1e-6;
    if (attempts[what]++ % 2 != 0) return;
    trial.valid = false;
    trial.goodput_per_s *= 10;
    trial.invalid_reasons.push_back({Cause::host, TrialGate::stall, "spoiled"});
  };
  const CellSummary result = run_campaign(plan_of(), noisy).cells.front();
  EXPECT_EQ(result.invalid, calm.measured);
  EXPECT_EQ(result.trials, 2 * calm.measured);
  EXPECT_EQ(result.invalid_causes.at("host"), calm.measured);
  expect_same(result.result.cliff, expected.result.cliff);
  expect_same(result.result.saturation, expected.result.saturation);
}

TEST(Campaign, GivesUpAfterTheRepeatsAndSaysUnmeasured) {
  Notebook broken;
  broken.spoil = [](Trial& trial) {
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::host, TrialGate::stall, "spoiled"});
  };
  Plan plan = plan_of();
  plan.repeats = 2;
  const CellSummary result = run_campaign(plan, broken).cells.front();
  EXPECT_EQ(result.result.cliff.reached, Reached::unmeasured);
  EXPECT_EQ(result.result.saturation.reached, Reached::unmeasured);
  EXPECT_EQ(result.invalid, result.trials);
  for (const auto& [key, record] : broken.records) {
    EXPECT_LE(record.attempt, 6) << key << " was repeated, and once more at the end";
    EXPECT_FALSE(record.used) << key;
  }
}

TEST(Campaign, ARunThatWasStoppedWhileItTriesCellsAgainEndsAsIfItHadNotBeen) {
  // Nothing is valid until the run tries its cells once more; then everything is.
  Plan plan = plan_of();
  plan.repeats = 1;
  const auto noisy_until = [](Notebook& host, int quiet_after) {
    host.spoil = [&host, quiet_after](Trial& trial) {
      if (static_cast<int>(host.records.size()) >= quiet_after) return;
      trial.valid = false;
      trial.invalid_reasons.push_back({Cause::host, TrialGate::stall, "spoiled"});
    };
  };
  Notebook never;
  noisy_until(never, 1 << 30);
  run_campaign(plan, never);
  const int quiet_after = never.measured - 6;
  Notebook whole;
  noisy_until(whole, quiet_after);
  const CellSummary expected = run_campaign(plan, whole).cells.front();
  ASSERT_EQ(expected.result.cliff.reached, Reached::ok);
  for (const int stop : {quiet_after - 3, quiet_after + 2, whole.measured - 1}) {
    Notebook interrupted;
    noisy_until(interrupted, quiet_after);
    interrupted.stop_after = stop;
    EXPECT_TRUE(run_campaign(plan, interrupted).interrupted);
    Notebook resumed;
    resumed.records = interrupted.records;
    noisy_until(resumed, quiet_after);
    const CellSummary result = run_campaign(plan, resumed).cells.front();
    EXPECT_EQ(resumed.measured, whole.measured - stop);
    EXPECT_EQ(result.trials, expected.trials);
    expect_same(result.result.cliff, expected.result.cliff);
    expect_same(result.result.saturation, expected.result.saturation);
  }
}

TEST(Campaign, AFaultOfTheModelFailsItsCellAtOnce) {
  Notebook faulty;
  faulty.spoil = [](Trial& trial) {
    trial.valid = false;
    trial.model_fault = true;
    trial.invalid_reasons.push_back(
        {Cause::model, TrialGate::digest, "3 completed requests have a wrong digest"});
  };
  const CellSummary result = run_campaign(plan_of(), faulty).cells.front();
  EXPECT_EQ(faulty.measured, 1);  // not repeated
  EXPECT_NE(result.failure.find("wrong digest"), std::string::npos);
  EXPECT_FALSE(result.lacking);
}

TEST(Campaign, OneLateRequestDoesNotBoundTheSearch) {
  // A realised rate that is off without a lag in more than 1% of the requests is a hiccup: it
  // passes.
  int spoiled = 0;
  Notebook once;
  once.spoil = [&spoiled](Trial& trial) {
    if (trial.request.closed > 0 || spoiled > 0) return;
    ++spoiled;
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::generator, TrialGate::realised_rate, "off by 0.2%"});
  };
  Notebook calm;
  const CellSummary expected = run_campaign(plan_of(), calm).cells.front();
  const CellSummary result = run_campaign(plan_of(), once).cells.front();
  EXPECT_EQ(result.invalid, 1);
  expect_same(result.result.cliff, expected.result.cliff);
}

TEST(Campaign, ALimitThatIsGoneWhenTheTrialIsRepeatedDoesNotBoundTheSearch) {
  int spoiled = 0;
  Notebook once;
  once.spoil = [&spoiled](Trial& trial) {
    if (trial.request.closed > 0 || spoiled > 0) return;
    ++spoiled;
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::generator, TrialGate::unsent, "too fast"});
  };
  Notebook calm;
  const CellSummary expected = run_campaign(plan_of(), calm).cells.front();
  const CellSummary result = run_campaign(plan_of(), once).cells.front();
  EXPECT_EQ(result.invalid, 1);
  expect_same(result.result.cliff, expected.result.cliff);
}

TEST(Campaign, WhatTheGeneratorCannotOfferIsNotReached) {
  Notebook limited;
  limited.spoil = [](Trial& trial) {
    if (trial.request.closed > 0 || trial.request.rate_per_s < 300) return;
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::generator, TrialGate::unsent, "too fast"});
  };
  const CellSummary result = run_campaign(plan_of(), limited).cells.front();
  EXPECT_EQ(result.result.cliff.reached, Reached::above);
  EXPECT_LT(result.result.cliff.value, 300);
  EXPECT_GT(result.result.cliff.value, 200);
}

TEST(Campaign, ACpuThatIsGoneFailsTheCellWhateverWasMeasuredBefore) {
  Notebook calm;
  run_campaign(plan_of(), calm);
  for (const int after : {1, 5, calm.measured - 1}) {
    Notebook host;
    host.spoil = [&](Trial&) {
      if (host.measured > after) throw CpusGone("CPU 1 is gone");
    };
    const CellSummary cell = run_campaign(plan_of(), host).cells.front();
    EXPECT_EQ(cell.failure, "CPU 1 is gone");
    EXPECT_TRUE(cell.lacking);
    EXPECT_EQ(host.measured, after + 1) << "nothing is tried on a machine that is another one";
    EXPECT_FALSE(cell.result.saturation.value > 0);
  }
}

TEST(Campaign, ALoadThatTheMachineHasNoRoomForBoundsTheSearchOrLeavesItWithoutACliff) {
  Notebook small;  // room for low rates
  small.spoil = [](Trial& trial) {
    if (trial.request.rate_per_s >= 300) throw Unavailable("no memory for this rate");
  };
  CellSummary cell = run_campaign(plan_of(), small).cells.front();
  EXPECT_EQ(cell.result.cliff.reached, Reached::above);
  EXPECT_LT(cell.result.cliff.value, 300);
  EXPECT_TRUE(cell.lacking);
  EXPECT_EQ(cell.failure, "");
  EXPECT_NE(cell.note.find("no memory for this rate"), std::string::npos) << cell.note;

  Notebook full;  // room for the first trial only
  full.spoil = [&full](Trial&) {
    if (full.measured > 1) throw Unavailable("no thread");
  };
  cell = run_campaign(plan_of(), full).cells.front();
  EXPECT_EQ(cell.result.cliff.reached, Reached::unmeasured);
  EXPECT_TRUE(cell.lacking);
  EXPECT_EQ(cell.failure, "");
  EXPECT_NE(cell.note.find("no thread"), std::string::npos) << cell.note;
}

TEST(Campaign, AQuotaIsALimitOfTheRateAndNotRepeatedForEach) {
  Notebook throttled;
  throttled.spoil = [](Trial& trial) {
    if (trial.request.closed > 0 || trial.request.rate_per_s < 300) return;
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::host, TrialGate::throttling,
                                     "the cgroup's CPU quota of 1.20 CPUs throttled this process"});
    trial.invalid_reasons.push_back({Cause::host, TrialGate::stall, "a CPU stalled"});
  };
  const CellSummary cell = run_campaign(plan_of(), throttled).cells.front();
  EXPECT_EQ(cell.result.cliff.reached, Reached::above);
  EXPECT_LT(cell.result.cliff.value, 300);
  EXPECT_GT(cell.result.cliff.value, 200);
  int repeated = 0;
  for (const auto& [key, record] : throttled.records) repeated += record.attempt > 1;
  EXPECT_EQ(repeated, 1) << "once it has shown itself, it is known";
  EXPECT_NE(cell.note.find("CPU quota of 1.20 CPUs"), std::string::npos) << cell.note;
}

TEST(Campaign, ABudgetEndsAfterTheFirstBlockAndIsNoInterruption) {
  Plan plan = plan_of();
  plan.budget = Nanos(1);
  Notebook host;
  const CampaignResult result = run_campaign(plan, host);
  EXPECT_TRUE(result.out_of_budget);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.blocks_done, 1);
  EXPECT_EQ(result.cells.front().result.cliff.reached, Reached::ok);
}

/// Two oracles with a budget that lasts.
Plan plan_of_two() {
  Plan plan = plan_of();
  plan.models.push_back(Spec{"oracle", {{"mean", "2ms"}}});
  plan.budget = std::chrono::hours(1);
  return plan;
}

int blocks_of(const CellSummary& cell) {
  int blocks = 0;
  for (const Point& point : cell.evidence) blocks = std::max(blocks, point.block + 1);
  return blocks;
}

TEST(Campaign, WhatIsLeftOfTheBudgetGoesToTheOpenCells) {
  const Plan plan = plan_of_two();
  std::vector<int> looks;
  Notebook host;
  const CampaignResult result = run_campaign(plan, host, [&](const CampaignResult& so_far) {
    looks.push_back(so_far.blocks_done);
    EXPECT_EQ(so_far.cells[0].result.cliff.reached, Reached::ok);
    EXPECT_EQ(blocks_of(so_far.cells[0]), so_far.blocks_done);
    EXPECT_EQ(blocks_of(so_far.cells[1]), 3);
    return std::vector<bool>{so_far.blocks_done < 5, false};
  });
  EXPECT_EQ(looks, (std::vector<int>{3, 4, 5}));
  EXPECT_EQ(blocks_of(result.cells[0]), 5);
  EXPECT_EQ(blocks_of(result.cells[1]), 3);
  EXPECT_EQ(result.blocks_done, 5);
  EXPECT_FALSE(result.out_of_budget);
}

TEST(Campaign, FurtherBlocksEndAtFourTimesThePlannedOnes) {
  Plan plan = plan_of_two();
  plan.blocks = 1;
  Notebook host;
  const CampaignResult result = run_campaign(plan, host, [](const CampaignResult&) {
    return std::vector<bool>{true, true};
  });
  EXPECT_EQ(result.blocks_done, 4);
}

TEST(Campaign, WithoutABudgetThereAreNoFurtherBlocks) {
  Plan plan = plan_of_two();
  plan.budget = Nanos(0);
  Notebook host;
  const CampaignResult result = run_campaign(plan, host, [](const CampaignResult&) {
    return std::vector<bool>{true, true};
  });
  EXPECT_EQ(result.blocks_done, plan.blocks);
}

TEST(Campaign, WithAPrecisionTheFurtherBlocksAreOfCellsThatAreNotKnownToIt) {
  Plan plan = plan_of_two();
  plan.models = {Spec{"oracle", {{"mean", "1ms"}, {"service", "fixed"}}},
                 Spec{"oracle", {{"mean", "1ms"}, {"service", "pareto(2.5)"}}}};
  const auto half_width = [](const CellSummary& cell) {
    const Estimate& cliff = cell.result.cliff;
    return (cliff.high - cliff.low) / 2 / cliff.value;
  };
  plan.blocks = 5;
  Notebook planned;
  const CampaignResult known = run_campaign(plan, planned);
  const double first = half_width(known.cells[0]), second = half_width(known.cells[1]);
  ASSERT_LT(first, second);
  plan.precision = std::sqrt(first * second);
  Notebook host;
  const CampaignResult result = run_campaign(plan, host, [](const CampaignResult&) {
    ADD_FAILURE() << "the order does not matter";
    return std::vector<bool>{};
  });
  EXPECT_EQ(blocks_of(result.cells[0]), plan.blocks);
  EXPECT_GT(blocks_of(result.cells[1]), plan.blocks);
  EXPECT_TRUE(half_width(result.cells[1]) <= plan.precision ||
              blocks_of(result.cells[1]) == 4 * plan.blocks);
}

TEST(Campaign, GoesOnInAFurtherBlockWithoutABudgetToo) {
  Plan plan = plan_of_two();
  const auto open = [](const CampaignResult& so_far) {
    return std::vector<bool>{so_far.blocks_done < 5, so_far.blocks_done < 4};
  };
  Notebook whole;
  const CampaignResult expected = run_campaign(plan, whole, open);
  int planned = 0;  // trials of the planned blocks
  for (const auto& [key, record] : whole.records) planned += record.block < plan.blocks;
  const int first = planned + 2;  // in the first further block
  Notebook interrupted;
  interrupted.stop_after = first;
  EXPECT_TRUE(run_campaign(plan, interrupted, open).interrupted);

  Notebook resumed;
  resumed.records = interrupted.records;
  const CampaignResult result = run_campaign(plan, resumed, open);
  EXPECT_EQ(resumed.measured, whole.measured - first);
  EXPECT_EQ(result.blocks_done, expected.blocks_done);
  expect_same(result.cells[0].result.cliff, expected.cells[0].result.cliff);
  expect_same(result.cells[1].result.cliff, expected.cells[1].result.cliff);

  // What was begun is finished, and no other block is begun.
  Notebook without_budget;
  without_budget.records = interrupted.records;
  plan.budget = Nanos(0);
  EXPECT_EQ(run_campaign(plan, without_budget, open).blocks_done, plan.blocks + 1);
}

}  // namespace
}  // namespace precipice
