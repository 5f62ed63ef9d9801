#include "harness/report/capacity_table.hpp"

#include <gtest/gtest.h>

#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/report/text_style.hpp"
#include "harness/stats/estimate.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/two_pools.hpp"

namespace precipice {
namespace {

using testing::lines_of;
using testing::two_pools;

TEST(Table, AHeadStatesOnlyWhatItsRowsShare) {
  CampaignResult result = two_pools(1e7);
  result.cells[0].ideal_saturation_per_s = 1000;
  result.cells[1].ideal_saturation_per_s = 4000;
  const TableStyle style{.width = 100, .colour = false, .utf8 = false};
  std::string head = lines_of(table(result, style)).front();
  EXPECT_EQ(head.find("ideal"), std::string::npos) << head;
  EXPECT_NE(head.find("SLO p99 <= 10.0ms"), std::string::npos) << head;
  result.cells[1].ideal_saturation_per_s = 1000;
  result.cells[1].slo_ns = 2e7;
  head = lines_of(table(result, style)).front();
  EXPECT_NE(head.find("ideal 1000/s"), std::string::npos) << head;
  EXPECT_EQ(head.find("SLO"), std::string::npos) << head;
}

TEST(Table, SaysWhatPoliciesCostAndWhatClassesHave) {
  CampaignResult result = two_pools(1e7);
  const TableStyle style{.width = 140, .colour = false, .utf8 = false};
  EXPECT_EQ(table(result, style).find("attempts per request"), std::string::npos);
  CellSummary& cell = result.cells[1];
  cell.attempts_per_request = 1.052;
  cell.wasted = 0.049;
  cell.price_per_hour = 3.6;
  cell.result.cliff = Estimate{};
  cell.result.cliff.value = 1000;
  cell.result.cliff.low = 800;
  cell.result.cliff.high = 1250;
  cell.result.cliff.reached = Reached::ok;
  cell.classes.push_back({"live", 5e6, cell.result.cliff});
  const std::string text = table(result, style);
  EXPECT_NE(text.find("1.05 attempts per request, 4.9% of them wasted"), std::string::npos) << text;
  EXPECT_NE(text.find("a million requests at the cliff cost 1 [0.8, 1.25]"), std::string::npos)
      << text;
  EXPECT_NE(text.find("class live (p99 <= 5.00ms): cliff 1000 [800, 1250]"), std::string::npos)
      << text;
}

TEST(Table, MarksWhatDisturbedTrialsShowAndSaysWhichWayItErrs) {
  CampaignResult result = two_pools(1e7);
  const TableStyle style{.width = 140, .colour = false, .utf8 = false};
  EXPECT_EQ(table(result, style).find('~'), std::string::npos);
  CellSummary& cell = result.cells[1];
  cell.failure = "none of 30 trials is valid";
  cell.trials = cell.invalid = 30;
  cell.result = {};
  cell.indicative.cliff.value = 760;
  cell.indicative.cliff.reached = Reached::ok;
  cell.indicative.cause = "neighbour on CPU 1";
  cell.indicative.disturbed = 28;
  const std::string text = table(result, style);
  EXPECT_NE(text.find(" ~760 "), std::string::npos) << text;
  EXPECT_NE(text.find("~ is indicative: neighbour on CPU 1; a neighbour makes a model look worse, "
                      "never"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("~: from trials that the host disturbed"), std::string::npos) << text;
}

}  // namespace
}  // namespace precipice
