#include "harness/compare/open_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/compare/pair_types.hpp"
#include "harness/compare/ranking.hpp"
#include "tests/support/memory_host.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

using testing::cell_of;
using testing::MemoryHost;
using testing::run_of;
using testing::Script;

CellSummary pool(const char* threads, double capacity_per_s, std::uint64_t seed, int blocks = 9) {
  Script script;
  script.model.given["threads"] = threads;
  script.capacity_per_s = capacity_per_s;
  script.seed = seed;
  script.blocks = blocks;
  return cell_of(script);
}

TEST(OpenOrder, IsOfModelsThatAreNotToldApart) {
  const std::vector<bool> open =
      order_open(run_of({pool("1", 4000, 1), pool("2", 8000, 2), pool("3", 4010, 3)}));
  EXPECT_EQ(open, (std::vector<bool>{true, false, true}));
}

TEST(OpenOrder, NeedsMoreEvidenceThanTheFinalComparison) {
  // 5% with a scatter of 2% in nine blocks: p is between 0.1% and 5%.
  const CampaignResult run = run_of({pool("1", 4000, 1), pool("2", 4200, 2)});
  const Comparison cliff = rank_models(run).rankings[0].pairs[0];
  ASSERT_EQ(cliff.verdict, Difference::a_higher) << cliff.p;
  ASSERT_GT(cliff.p, kInterimLevel);
  EXPECT_EQ(order_open(run), (std::vector<bool>{true, true}));
}

TEST(OpenOrder, IsOfOneWorkloadEach) {
  CellSummary other = pool("1", 4000, 4);
  other.workload.given["wait"] = "7ms";
  EXPECT_EQ(order_open(run_of({pool("1", 4000, 1), other})), (std::vector<bool>{false, false}));
}

TEST(OpenOrder, IsClosedWhereNothingCanBeTested) {
  CellSummary failed = pool("2", 4000, 2);
  failed.failure = "no thread";
  EXPECT_EQ(order_open(run_of({pool("1", 4000, 1), failed})), (std::vector<bool>{false, false}));
}

TEST(OpenOrder, IsOfTheSaturationsWhereNoCliffIsKnown) {
  std::vector<CellSummary> cells = {pool("1", 4000, 1), pool("2", 4000, 2), pool("3", 8000, 3)};
  for (CellSummary& cell : cells) {
    std::erase_if(cell.evidence, [](const Point& point) { return point.phase == Phase::refine; });
    cell.result = analyse(cell.evidence, cell.options);
    ASSERT_NE(cell.result.cliff.reached, Reached::ok);
  }
  EXPECT_EQ(order_open(run_of(cells)), (std::vector<bool>{true, true, false}));
}

/// Two equal queues, one that carries a tenth more, and one twice as fast, with windows too short
/// for the tenth: a campaign goes on with the first three alone.
TEST(OpenOrder, DirectsTheFurtherBlocksOfACampaign) {
  Plan plan;
  plan.clock = ClockKind::virtual_time;
  plan.blocks = 2;
  plan.virtual_requests = 3000;
  for (const char* mean : {"1ms", "1001us", "909us", "500us"})
    plan.models.push_back(Spec{"oracle", {{"mean", mean}, {"service", "exponential"}}});
  plan.workloads = {Spec{"empty", {}}};
  plan.budget = std::chrono::hours(1);
  MemoryHost host;
  const CampaignResult run = run_campaign(plan, host, order_open);
  EXPECT_FALSE(run.out_of_budget);
  EXPECT_GT(run.blocks_done, plan.blocks);
  EXPECT_LE(run.blocks_done, 4 * plan.blocks);
  std::vector<int> blocks;
  for (const CellSummary& cell : run.cells) {
    int most = 0;
    for (const Point& point : cell.evidence) most = std::max(most, point.block + 1);
    blocks.push_back(most);
  }
  EXPECT_EQ(blocks[0], run.blocks_done);
  EXPECT_EQ(blocks[1], run.blocks_done);
  EXPECT_LT(blocks[3], run.blocks_done);
}

}  // namespace
}  // namespace precipice
