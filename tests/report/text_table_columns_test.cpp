// Columns that are left out, and names that are cut, where a terminal is narrow.
#include <gtest/gtest.h>

#include "harness/report/text_table.hpp"

namespace precipice {
namespace {

TextTable table_of_two() {
  TextTable table({"model", "cliff/s", "of ideal", "of ideal"});
  table.row({"fixed_pool 64 threads", "100", "50%", "60%"});
  table.row({"event_loop", "200", "70%", "80%"});
  return table;
}
constexpr TableStyle kPlain{.width = 40, .colour = false, .utf8 = false};

TEST(TextTableColumns, DropLeavesOutTheFirstColumnOfAHeaderAndIgnoresAnUnknownOne) {
  TextTable table = table_of_two();
  const std::size_t before = table.width();
  table.drop("of ideal");
  table.drop("verdict");
  EXPECT_EQ(table.width(), before - 10);
  const std::string text = table.text(kPlain);
  EXPECT_EQ(text.find("50%"), std::string::npos) << text;
  EXPECT_NE(text.find("60%"), std::string::npos) << text;
}

TEST(TextTableColumns, LeastWidthCountsNamesAtTheGivenWidth) {
  const TextTable table = table_of_two();
  EXPECT_EQ(table.least_width(8), table.width() - 21 + 8);
  EXPECT_EQ(table.least_width(std::string::npos), table.width());
}

TEST(TextTableColumns, NamesAreCutNoFurtherThanTheTerminalOrTheirLeastWidthAsks) {
  TextTable fits = table_of_two();
  fits.shorten_names(kPlain, 8);
  EXPECT_LE(fits.width(), 40u);
  TextTable narrow = table_of_two();
  narrow.shorten_names({.width = 20, .colour = false, .utf8 = false}, 8);
  EXPECT_EQ(narrow.width(), table_of_two().least_width(8));
}

}  // namespace
}  // namespace precipice
