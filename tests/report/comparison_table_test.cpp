#include "harness/report/comparison_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/comparison.hpp"
#include "harness/store/comparison_json.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

using testing::cell_of;
using testing::run_of;
using testing::Script;

RunComparison compared(const Script& a, const Script& b, const ComparisonOptions& options = {}) {
  const CampaignResult run_a = run_of({cell_of(a)}, a.blocks),
                       run_b = run_of({cell_of(b)}, b.blocks);
  return compare_runs({"a", &run_a}, {"b", &run_b}, options);
}

TEST(ComparisonText, OfEqualFiguresNobodyIsAhead) {
  Script script;
  const RunComparison result = compared(script, script);
  for (const Comparison& c : result.cells.front().figures) {
    EXPECT_EQ(c.order, "equal");
    EXPECT_NEAR(c.ratio, 1, 1e-9);
  }
}

TEST(ComparisonText, FitsItsWidthAndKeepsToAscii) {
  Script a, b;
  b.model.given["threads"] = "22";
  b.seed = 2;
  b.capacity_per_s = 4400;
  const RunComparison result = compared(a, b);
  for (const int width : {60, 100, 160}) {
    const std::string text =
        comparison_table(result, {.width = width, .colour = false, .utf8 = false});
    std::size_t longest = 0, begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      EXPECT_LT(static_cast<unsigned char>(text[i]), 128);
      if (text[i] != '\n') continue;
      longest = std::max(longest, i - begin);
      begin = i + 1;
    }
    EXPECT_LE(longest, static_cast<std::size_t>(std::max(width, 70))) << text;
    EXPECT_NE(text.find("B higher"), std::string::npos) << text;
    EXPECT_EQ(text.find("\033["), std::string::npos);
  }
  EXPECT_NE(comparison_table(result, {.width = 100, .colour = true, .utf8 = true}).find("\033[1m"),
            std::string::npos);
  const Json json = to_json(result);
  EXPECT_EQ(json["cells"][0]["figures"].size(), 2u);
  EXPECT_EQ(json["cells"][0]["paired_by_names_only"], true);
}

}  // namespace
}  // namespace precipice
