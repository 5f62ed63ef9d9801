#include "harness/compare/ranking.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/json.hpp"
#include "harness/report/comparison_table.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/paired_t.hpp"
#include "harness/store/comparison_json.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

using testing::cell_of;
using testing::run_of;
using testing::Script;

TEST(Ranking, ABoundAtTheTopLeavesTheRatiosToTheFirstMeasured) {
  std::vector<CellSummary> cells;
  for (const char* threads : {"1", "2", "3"}) {
    Script script;
    script.model.given["threads"] = threads;
    script.seed = static_cast<std::uint64_t>(threads[0]);
    if (threads[0] == '1') {
      script.capacity_per_s = 20'000;
      script.centre = 0.5;
    }
    cells.push_back(cell_of(script));
  }
  const Ranking cliff = rank_models(run_of(cells)).rankings[0];
  EXPECT_EQ(cliff.rows[0].estimate.reached, Reached::above);
  EXPECT_TRUE(std::isnan(cliff.rows[0].to_first.ratio));
  EXPECT_EQ(cliff.rows[0].groups, "a");
  EXPECT_EQ(cliff.rows[1].to_first.ratio, 1);
  EXPECT_NEAR(cliff.rows[2].to_first.ratio, 1, 0.1);
  EXPECT_EQ(cliff.rows[1].groups, "b");
}

TEST(Ranking, GroupsWhatCannotBeToldApart) {
  std::vector<CellSummary> cells;
  for (const auto& [threads, capacity] :
       {std::pair{"1", 4000.0}, std::pair{"2", 4010.0}, std::pair{"3", 3000.0}}) {
    Script script;
    script.model.given["threads"] = threads;
    script.capacity_per_s = capacity;
    script.seed = static_cast<std::uint64_t>(capacity);
    cells.push_back(cell_of(script));
  }
  const RunRanking ranking = rank_models(run_of(cells));
  ASSERT_EQ(ranking.rankings.size(), 2u);
  EXPECT_EQ(ranking.tests, 6);
  const Ranking& saturation = ranking.rankings[1];
  EXPECT_EQ(saturation.figure, "saturation");
  EXPECT_EQ(saturation.rows[0].groups, "a");
  EXPECT_EQ(saturation.rows[1].groups, "a");
  EXPECT_EQ(saturation.rows[2].groups, "b");
  EXPECT_EQ(saturation.rows[2].model.given.at("threads"), "3");
  EXPECT_LT(saturation.rows[2].to_first.high, 0.85);
  // (t_.975 + t_.8) sd / 3 at 8 degrees of freedom is 1.065 sd.
  EXPECT_NEAR(saturation.detectable, 1.065 * 0.03, 0.015);

  for (CellSummary& cell : cells)
    std::erase_if(cell.evidence, [](const Point& point) { return point.block > 0; });
  const RunRanking few = rank_models(run_of(cells, 1));
  for (const Ranking& each : few.rankings) {
    for (const Ranking::Row& row : each.rows) EXPECT_EQ(row.groups, "");
  }
  EXPECT_NE(ranking_json(few).dump().find("too few blocks"), std::string::npos);
}

TEST(Ranking, RowsBetweenTwoGroupsBelongToBoth) {
  Ranking ranking;
  ranking.blocks = 9;
  for (const char* name : {"x", "y", "z"}) {
    Estimate ok;
    ok.value = ok.low = ok.high = 1;
    ok.reached = Reached::ok;
    ranking.rows.push_back({{name, {}}, ok, {}, {}});
  }
  ranking.pairs.resize(3);
  ranking.pairs[0].verdict = Difference::indistinguishable;  // x y
  ranking.pairs[1].verdict = Difference::a_higher;           // x z
  ranking.pairs[2].verdict = Difference::indistinguishable;  // y z
  finish_ranking(ranking);
  EXPECT_EQ(ranking.rows[0].groups, "a");
  EXPECT_EQ(ranking.rows[1].groups, "ab");
  EXPECT_EQ(ranking.rows[2].groups, "b");
}

TEST(Ranking, OneModelSaysWhatTwoRunsCouldTell) {
  const RunRanking ranking = rank_models(run_of({cell_of({})}));
  EXPECT_EQ(ranking.tests, 0);
  EXPECT_GT(ranking.rankings[1].detectable, 0.005);
  EXPECT_LT(ranking.rankings[1].detectable, 0.1);
}

}  // namespace
}  // namespace precipice
