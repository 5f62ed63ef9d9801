#include "harness/report/capacity_table.hpp"

#include <gtest/gtest.h>

#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/report/text_style.hpp"
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

}  // namespace
}  // namespace precipice
