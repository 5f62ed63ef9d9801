#include "harness/report/tail_curves.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/two_pools.hpp"

namespace precipice {
namespace {

using testing::curve_cell;
using testing::is_ascii;
using testing::lines_of;
using testing::longest_line;
using testing::two_pools;

/// The glyphs of a series' line.
std::string curve_of(const std::string& text, const std::string& series) {
  for (const std::string& line : lines_of(text)) {
    if (line.find(series) == std::string::npos) continue;
    const std::size_t begin = line.find(series) + series.size();
    return line.substr(begin, line.find("  cliff") - begin);
  }
  return "";
}

TEST(Curves, ATailIsTheMedianOfTheBlocksAndInterpolatedBetweenRatesOnly) {
  const TailCurve curve = tail_curve(curve_cell("8", 1000, 1e7));
  ASSERT_EQ(curve.rate_per_s.size(), 19u);
  EXPECT_DOUBLE_EQ(curve.rate_per_s.front(), 50);
  // The third block is 50 times as slow, and the median does not hear of it.
  EXPECT_NEAR(tail_at(curve, 500), 9.21e6, 1);
  EXPECT_GT(tail_at(curve, 520), tail_at(curve, 500));
  EXPECT_LT(tail_at(curve, 520), tail_at(curve, 550));
  EXPECT_TRUE(std::isnan(tail_at(curve, 40)));
  EXPECT_TRUE(std::isnan(tail_at(curve, 960)));
}

TEST(Curves, RiseWithLoadAndCrossHalfHeightAtTheCliff) {
  const std::string text = curves(two_pools(20e6), {.width = 110, .colour = false, .utf8 = false});
  const std::string glyphs = "_.-~=+*#";
  for (const char* series : {"fixed_pool threads=8", "fixed_pool threads=512"}) {
    const std::string curve = curve_of(text, series);
    const std::size_t begin = curve.find_first_not_of(' ');
    ASSERT_NE(begin, std::string::npos) << text;
    const std::string drawn = curve.substr(begin, curve.find_last_not_of(' ') + 1 - begin);
    for (std::size_t i = 1; i < drawn.size(); ++i)
      EXPECT_GE(glyphs.find(drawn[i]), glyphs.find(drawn[i - 1])) << text;
    EXPECT_LT(glyphs.find(drawn.front()), 4u) << text;
    EXPECT_GE(glyphs.find(drawn.back()), 4u) << text;
  }
  // The axis is shared: the pool that carries four times as much breaks the SLO further right.
  const auto crossing = [&](const char* series) {
    return curve_of(text, series).find_first_of("=+*#");
  };
  EXPECT_GT(crossing("fixed_pool threads=512"), crossing("fixed_pool threads=8") + 5) << text;
  EXPECT_NE(text.find("= and up breaks the SLO 20.0ms"), std::string::npos) << text;
  EXPECT_NE(text.find("cliff  770/s"), std::string::npos) << text;
}

TEST(Curves, OnlyWhatBreaksTheSloIsRed) {
  const std::string text = curves(two_pools(20e6), {.width = 110, .colour = true, .utf8 = true});
  EXPECT_NE(text.find("\033[31m▅"), std::string::npos) << text;
  EXPECT_EQ(text.find("\033[31m▁"), std::string::npos) << text;
  const std::string plain = curves(two_pools(20e6), {.width = 110, .colour = false, .utf8 = true});
  EXPECT_EQ(plain.find('\033'), std::string::npos);
}

TEST(Curves, FitAnyWidthAndKeepToAscii) {
  for (const int width : {24, 40, 60, 80, 200}) {
    const std::string text =
        curves(two_pools(20e6), {.width = width, .colour = false, .utf8 = false});
    EXPECT_LE(longest_line(text), static_cast<std::size_t>(width)) << text;
    EXPECT_TRUE(is_ascii(text)) << text;
    // Two series of one model stay apart.
    EXPECT_NE(text.find("s=8 "), std::string::npos) << text;
    EXPECT_NE(text.find("512 "), std::string::npos) << text;
  }
}

TEST(Curves, NothingMeasuredDrawsNothing) {
  CampaignResult result;
  result.cells.resize(1);
  EXPECT_EQ(curves(result, {}), "");
}

}  // namespace
}  // namespace precipice
