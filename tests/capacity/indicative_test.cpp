// What is shown of a cell that the host disturbed, on scripted trials: marked, and never a result.
#include "harness/capacity/indicative.hpp"

#include <gtest/gtest.h>

#include <string>

#include "harness/capacity/campaign.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "tests/support/memory_host.hpp"

namespace precipice {
namespace {

const InvalidReason kNeighbour{
    Cause::host, TrialGate::neighbour,
    "other processes used 60% of a CPU on the model's CPUs (at most 9%)"};

Trial spoiled(const TrialRequest& request, InvalidReason reason) {
  Trial trial = simulate_trial(request);
  trial.valid = false;
  trial.invalid_reasons.push_back(std::move(reason));
  return trial;
}

/// M/D/1 of 1 ms whose every trial is spoiled for one reason.
class SpoiledHost final : public testing::MemoryHost {
 public:
  explicit SpoiledHost(InvalidReason reason) : reason_(std::move(reason)) {}
  Trial measure(const TrialRequest& request) override {
    ++measured;
    Trial trial = measured > quiet_after ? simulate_trial(request) : spoiled(request, reason_);
    trial.request.model_cpus = CpuSet({1});
    return trial;
  }

  int measured = 0, quiet_after = 1 << 30;

 private:
  InvalidReason reason_;
};

Plan plan_of() {
  Plan plan;
  plan.clock = ClockKind::virtual_time;
  plan.arrivals = Arrivals::parse("poisson");
  plan.blocks = 2;
  plan.repeats = 1;
  plan.virtual_requests = 20'000;
  plan.models = {Spec{"oracle", {{"mean", "1ms"}}}};
  plan.workloads = {Spec{"empty", {}}};
  return plan;
}

TEST(Indicative, ADisturbedCellHasTheFigureOfItsEstimatorsMarked) {
  SpoiledHost quiet(kNeighbour), busy(kNeighbour);
  quiet.quiet_after = 0;
  const CellSummary expected = run_campaign(plan_of(), quiet).cells.front();
  EXPECT_FALSE(expected.indicative.any()) << "there is a valid figure";

  const CampaignResult result = run_campaign(plan_of(), busy);
  const CellSummary& cell = result.cells.front();
  EXPECT_NE(cell.failure.find("none of"), std::string::npos);
  EXPECT_EQ(cell.result.cliff.reached, Reached::unmeasured) << "it is no result";
  ASSERT_EQ(cell.indicative.cliff.reached, Reached::ok);
  EXPECT_NEAR(cell.indicative.cliff.value, expected.result.cliff.value,
              0.1 * expected.result.cliff.value);
  EXPECT_NEAR(cell.indicative.saturation.value, 1000, 30);
  EXPECT_FALSE(cell.indicative.cliff.low > 0) << "how far it is off is not known";
  EXPECT_EQ(cell.indicative.cause, "neighbour on CPU 1");
  EXPECT_EQ(why_indicative(cell.indicative),
            "neighbour on CPU 1; a neighbour makes a model look worse, never better");
  EXPECT_EQ(cell.indicative.disturbed, cell.trials);

  const std::string sentence = nothing_valid(result);
  EXPECT_NE(sentence.find("none of " + std::to_string(cell.trials) + " trials is valid"),
            std::string::npos)
      << sentence;
  EXPECT_NE(sentence.find("host (neighbour: other processes used 60%"), std::string::npos)
      << sentence;
  EXPECT_NE(sentence.find("stop what else runs on these CPUs"), std::string::npos) << sentence;
}

TEST(Indicative, ATrialThatFailedAnyOtherGateShowsNothing) {
  SpoiledHost late({Cause::generator, TrialGate::self_lag, "the generator's own lag"});
  const CampaignResult result = run_campaign(plan_of(), late);
  EXPECT_FALSE(result.cells.front().indicative.any());
  EXPECT_NE(nothing_valid(result), "");
}

TEST(Indicative, ACellThatIsTriedAgainWhenTheMachineIsQuietHasItsFigure) {
  SpoiledHost counting(kNeighbour);
  run_campaign(plan_of(), counting);
  SpoiledHost host(kNeighbour);
  // The end of the run: two repetitions of three hopeless points came last.
  host.quiet_after = counting.measured - 6;
  const CampaignResult result = run_campaign(plan_of(), host);
  const CellSummary& cell = result.cells.front();
  EXPECT_EQ(cell.failure, "");
  EXPECT_EQ(cell.result.cliff.reached, Reached::ok);
  EXPECT_NE(cell.result.saturation.reached, Reached::unmeasured);
  EXPECT_FALSE(cell.indicative.any());
  EXPECT_EQ(nothing_valid(result), "");
}

TEST(Indicative, ALimitedNumberOfTrialsIsSpentOnACellThatStaysDisturbed) {
  SpoiledHost quiet(kNeighbour), busy(kNeighbour);
  quiet.quiet_after = 0;
  run_campaign(plan_of(), quiet);
  run_campaign(plan_of(), busy);
  EXPECT_LT(busy.measured, quiet.measured + 16);
}

}  // namespace
}  // namespace precipice
