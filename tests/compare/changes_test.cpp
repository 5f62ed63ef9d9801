// What changed between runs: several against a base, and against a baseline that was kept.
#include "harness/compare/changes.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/json.hpp"
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
namespace fs = std::filesystem;

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
  const CampaignResult base = run_of({cell_of(script(4000, 1, 5))}, 5);
  const CampaignResult less = run_of({cell_of(script(3000, 2, 5))}, 5);
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

/// One queue in nine blocks of virtual time, so that a change can be named.
std::string one_queue(const std::string& mean, int seed) {
  return R"toml(schema = 1
name = "one"
blocks = 9
slo = "p99 < 10ms"
seed = )toml" +
         std::to_string(seed) + R"toml(
[load]
clock = "virtual"
window = "40s"
coarse_window = "10s"
[search]
refine = [0.9, 1.0, 1.1]
overload = [1.5]
grid = [0.3]
[[workload]]
use = "empty"
[[model]]
use = "oracle"
service = "exponential"
mean = )toml" +
         '"' + mean + "\"\n";
}

class Baseline : public testing::CommandLine {};

TEST_F(Baseline, IsKeptUnderANameAndHeldAgainstLaterRuns) {
  const std::string first = finished_run(one_queue("1ms", 1));
  const std::string same = finished_run(one_queue("1ms", 4));
  const std::string slower = finished_run(one_queue("1.25ms", 3));
  ASSERT_EQ(shell("mkdir " + first + "/figures && touch " + first + "/report.html").code, 0);
  const Ended saved = run("compare --save-baseline main " + first);
  ASSERT_EQ(saved.code, 0) << saved.err;
  EXPECT_TRUE(fs::exists(directory_ + "/results/baselines/main/journal.jsonl"));
  EXPECT_FALSE(fs::exists(directory_ + "/results/baselines/main/report.html"));
  // The run itself may go: the baseline stands alone.
  fs::remove_all(directory_ + "/" + first);

  const Ended unchanged = run("compare --baseline main " + same + " --fail-on-change");
  EXPECT_EQ(unchanged.code, 0) << unchanged.out << unchanged.err;
  EXPECT_NE(unchanged.out.find("changes: 2 unchanged"), std::string::npos) << unchanged.out;
  const Ended changed = run("compare --baseline main " + slower + " --fail-on-change --json");
  EXPECT_EQ(changed.code, 1) << changed.err;
  const auto json = nlohmann::json::parse(changed.out);
  EXPECT_EQ(json.at("exit_code"), 1);
  EXPECT_EQ(json.at("changes").at("counts").at("lower"), 2) << changed.out;
  // Without --fail-on-change it is said, and is no failure.
  EXPECT_EQ(run("compare --baseline main " + slower).code, 0);
  // Three runs, of which one changed.
  const Ended three = run("compare --baseline main " + same + " " + slower + " --fail-on-change");
  EXPECT_EQ(three.code, 1);
  EXPECT_NE(three.out.find("C / A"), std::string::npos) << three.out;
  EXPECT_NE(three.out.find("changes: 2 lower beyond noise, 2 unchanged"), std::string::npos)
      << three.out;

  // A second one under the same name takes its place whole.
  ASSERT_EQ(run("compare --save-baseline main " + slower).code, 0);
  EXPECT_EQ(run("compare --baseline main " + slower + " --fail-on-change").code, 0);
  int left = 0;
  for (const auto& entry : fs::directory_iterator(directory_ + "/results/baselines")) {
    (void)entry;
    ++left;
  }
  EXPECT_EQ(left, 1);
}

TEST_F(Baseline, WhatCannotBeToldIsThree) {
  std::string few = one_queue("1ms", 1), slow = one_queue("1.25ms", 2);
  for (std::string* suite : {&few, &slow})
    suite->replace(suite->find("blocks = 9"), 10, "blocks = 3");
  const std::string a = finished_run(few), b = finished_run(slow);
  const Ended ended = run("compare " + a + " " + b + " --fail-on-change");
  EXPECT_EQ(ended.code, 3) << ended.out;
  EXPECT_NE(ended.out.find("unclear"), std::string::npos) << ended.out;
}

TEST_F(Baseline, RefusesNamesThatLeaveItsPlaceAndRunsThatAreNone) {
  const std::string made = finished_run(testing::two_queues());
  for (const char* name : {"../main", ".main", "-main", "a/b", "''", "'a b'"}) {
    const Ended ended = run(std::string("compare --save-baseline=") + name + " " + made);
    EXPECT_EQ(ended.code, 2) << name;
  }
  EXPECT_FALSE(fs::exists(directory_ + "/results/baselines"));
  const Ended unknown = run("compare --baseline none " + made);
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("baselines/none"), std::string::npos) << unknown.err;
  const Ended alone = run("compare " + made);
  EXPECT_EQ(alone.code, 2);
  EXPECT_NE(alone.err.find("two runs"), std::string::npos) << alone.err;
  EXPECT_EQ(run("compare --save-baseline main " + made + " " + made).code, 2);
}

}  // namespace
}  // namespace precipice
