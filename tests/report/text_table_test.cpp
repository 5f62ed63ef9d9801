#include "harness/report/text_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/report/capacity_table.hpp"
#include "harness/report/text_style.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/two_pools.hpp"

namespace precipice {
namespace {

using testing::lines_of;
using testing::longest_line;

TEST(TextTable, NamesGetShorterInTheirMiddleAndEscapesTakeNoColumn) {
  const TableStyle style{.width = 40, .colour = true, .utf8 = false};
  EXPECT_EQ(shortened("fixed_pool threads=512", 12, style), "fixed~ds=512");
  EXPECT_EQ(shortened("short", 12, style), "short");
  EXPECT_EQ(columns(bold("four", style)), 4u);
  TextTable table({"model", "<figure", "value"});
  table.row({"fixed_pool threads=512 and a very long name", bold("cliff", style), "12"});
  table.row({"event_loop", "cliff", "3456"});
  const std::string text = table.text(style);
  EXPECT_LE(longest_line(text), 40u) << text;
  const std::vector<std::string> lines = lines_of(text);
  EXPECT_EQ(columns(lines[2]), columns(lines[3])) << text;
}

}  // namespace
}  // namespace precipice
