// What changed between runs: several against a base, and against a baseline that was kept.
#include "harness/compare/changes.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/report/overlay_table.hpp"
#include "harness/report/text_style.hpp"
#include "harness/store/comparison_json.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/scripted_cell.hpp"

namespace precipice {
namespace {

using testing::cell_of;
using testing::lines_of;
using testing::run_of;
using testing::Script;

Script script(double capacity_per_s, std::uint64_t seed, int blocks = 9) {
  Script made;
  made.capacity_per_s = capacity_per_s;
  made.seed = seed;
  made.blocks = blocks;
  return made;
}

Comparison comparison(Difference verdict, Reached a = Reached::ok, Reached b = Reached::ok) {
  Comparison made;
  made.verdict = verdict;
  made.a.value = made.b.value = 100;
  made.a.reached = a;
  made.b.reached = b;
  return made;
}

TEST(Changes, EveryVerdictIsOneOfFiveThings) {
  EXPECT_EQ(change_of(comparison(Difference::a_higher)), Change::lower);
  EXPECT_EQ(change_of(comparison(Difference::b_higher)), Change::higher);
  EXPECT_EQ(change_of(comparison(Difference::indistinguishable)), Change::none);
  EXPECT_EQ(change_of(comparison(Difference::no_relevant_difference)), Change::none);
  EXPECT_EQ(change_of(comparison(Difference::too_few_blocks)), Change::unclear);
  EXPECT_EQ(change_of(comparison(Difference::undecided)), Change::unclear);
  EXPECT_EQ(change_of(comparison(Difference::undecided, Reached::above, Reached::ok)),
            Change::unclear);
  EXPECT_EQ(change_of(comparison(Difference::undecided, Reached::above, Reached::above)),
            Change::none);
  EXPECT_EQ(change_of(comparison(Difference::not_compared, Reached::ok, Reached::unmeasured)),
            Change::missing);
  EXPECT_EQ(
      change_of(comparison(Difference::not_compared, Reached::unmeasured, Reached::unmeasured)),
      Change::none);
}

TEST(Changes, OfThreeRunsOnlyTheOneThatDiffersIsMarked) {
  const CampaignResult base = run_of({cell_of(script(4000, 1))});
  const CampaignResult same = run_of({cell_of(script(4000, 2))});
  const CampaignResult less = run_of({cell_of(script(3400, 3))});
  const Overlay overlay = overlay_runs({"base", &base}, {{"same", &same}, {"less", &less}}, {});
  ASSERT_EQ(overlay.comparisons.size(), 2u);
  const ChangeCounts counts = count_changes(overlay);
  EXPECT_EQ(counts.none, 2);
  EXPECT_EQ(counts.lower, 2);
  EXPECT_EQ(counts.changed(), 2);
  const std::string text = overlay_table(overlay, {.width = 100, .colour = false, .utf8 = false});
  int marked = 0, even = 0;
  for (const std::string& line : lines_of(text)) {
    if (line.find("fixed_pool") != 0 && line.find("cliff") == std::string::npos &&
        line.find("saturation") == std::string::npos)
      continue;
    marked += line.ends_with(" DOWN") ? 1 : 0;
    even += line.find("] =") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(marked, 2) << text;
  EXPECT_EQ(even, 2) << text;
  const Json json = changes_json(overlay);
  ASSERT_EQ(json["list"].size(), 2u);
  EXPECT_EQ(json["list"][0]["run"], "less");
  EXPECT_EQ(json["list"][0]["change"], "lower");
  EXPECT_LT(json["list"][0]["high"].get<double>(), 1);
  EXPECT_EQ(changes_sentence(counts), "changes: 2 lower beyond noise, 2 unchanged");
}

TEST(Changes, TheErrorIsSharedAmongTheRuns) {
  const CampaignResult base = run_of({cell_of(script(4000, 1))});
  const CampaignResult same = run_of({cell_of(script(4000, 2))});
  const RunToCompare other{"same", &same};
  const auto width = [](const Overlay& overlay) {
    const Comparison& saturation = overlay.comparisons.front().cells.front().figures.back();
    return saturation.high - saturation.low;
  };
  EXPECT_GT(width(overlay_runs({"base", &base}, {other, other, other, other}, {})),
            1.05 * width(overlay_runs({"base", &base}, {other}, {})));
}

TEST(Changes, ACellThatARunLacksIsMissingAndANewOneIsNoChange) {
  Script pool = script(4000, 1), loop = script(4000, 2);
  loop.model = {"event_loop", {}};
  const CampaignResult both = run_of({cell_of(pool), cell_of(loop)});
  const CampaignResult one = run_of({cell_of(pool)});
  const ChangeCounts lost = count_changes(overlay_runs({"both", &both}, {{"one", &one}}, {}));
  EXPECT_EQ(lost.missing, 1);
  EXPECT_EQ(lost.none, 2);
  const ChangeCounts gained = count_changes(overlay_runs({"one", &one}, {{"both", &both}}, {}));
  EXPECT_EQ(gained.missing, 0);
  EXPECT_EQ(gained.none, 2);
}

TEST(Changes, FewBlocksAreUnclearAndNoChange) {
  const CampaignResult base = run_of({cell_of(script(4000, 1, 1))}, 1);
  const CampaignResult less = run_of({cell_of(script(3000, 2, 1))}, 1);
  const ChangeCounts counts = count_changes(overlay_runs({"base", &base}, {{"less", &less}}, {}));
  EXPECT_EQ(counts.changed(), 0);
  EXPECT_EQ(counts.unclear, 2);
}

TEST(Changes, ManyRunsGoOnInAFurtherTableOnANarrowTerminal) {
  const CampaignResult base = run_of({cell_of(script(4000, 1))});
  const CampaignResult same = run_of({cell_of(script(4000, 2))});
  const std::vector<RunToCompare> others(8, {"same", &same});
  const Overlay overlay = overlay_runs({"base", &base}, others, {});
  for (const int width : {60, 80, 200}) {
    const std::string text =
        overlay_table(overlay, {.width = width, .colour = false, .utf8 = false});
    for (const std::string& line : lines_of(text))
      EXPECT_LE(columns(line), static_cast<std::size_t>(width)) << text;
    for (const char* run : {"B / A", "E / A", "I / A"})
      EXPECT_NE(text.find(run), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace precipice
