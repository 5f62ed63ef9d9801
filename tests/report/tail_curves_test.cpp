// What a terminal shows: a run's table and curves again, and a campaign under way.
#include "harness/report/tail_curves.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/report/capacity_so_far.hpp"
#include "harness/report/capacity_table.hpp"
#include "harness/report/live_view.hpp"
#include "harness/report/text_style.hpp"
#include "harness/report/text_table.hpp"
#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

using testing::lines_of;
using testing::two_queues;

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (const std::string& line : lines_of(text)) longest = std::max(longest, columns(line));
  return longest;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 128; });
}

// The curves.

/// A queue of M/M/1 form on offered rates in steps of a tenth of its capacity.
CellSummary curve_cell(const std::string& threads, double capacity_per_s, double slo_ns) {
  CellSummary cell;
  cell.model = {"fixed_pool", {{"threads", threads}}};
  cell.workload = {"sleep", {{"wait", "5ms"}}};
  cell.slo_ns = slo_ns;
  cell.result.cliff.reached = Reached::ok;
  cell.result.cliff.value = capacity_per_s - 4.605e9 / slo_ns;
  for (int block = 0; block < 3; ++block) {
    for (int step = 1; step < 20; ++step) {
      Record record;
      record.used = true;
      record.block = block;
      record.trial.request.rate_per_s = capacity_per_s * step / 20;
      record.trial.response.known = true;
      record.trial.response.p99 =
          std::lround((block == 2 ? 50 : 1) * 4.605e9 / (capacity_per_s * (20 - step) / 20));
      cell.points.push_back(record);
    }
  }
  return cell;
}

CampaignResult two_pools(double slo_ns) {
  CampaignResult result;
  result.cells = {curve_cell("8", 1000, slo_ns), curve_cell("512", 4000, slo_ns)};
  return result;
}

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

// The live view.

Record taken(const std::string& series, double rate_per_s, double p99_ns, bool valid = true) {
  Record record;
  record.series = series;
  record.workload = "sleep";
  record.key = series + std::to_string(rate_per_s);
  record.slo_ns = 1e7;
  record.trial.valid = valid;
  record.trial.stable = true;
  record.trial.request.rate_per_s = rate_per_s;
  record.trial.goodput_per_s = rate_per_s;
  record.trial.slo_percentile_ns = std::lround(p99_ns);
  return record;
}

CapacitySoFar seven_series() {
  CapacitySoFar so_far;
  for (const char* series : {"thread_per_request", "fixed_pool:threads=8", "fixed_pool:threads=64",
                             "fixed_pool:threads=512", "event_loop", "io_uring", "work_stealing"}) {
    so_far.take(taken(series, 1000, 5e6));
    so_far.take(taken(series, 2000, 5e7));
    so_far.take(taken(series, 3000, 5e6, false));
  }
  return so_far;
}

CampaignHost::Progress under_way() {
  CampaignHost::Progress progress;
  progress.cell = 3;
  progress.cells = 21;
  progress.series = "fixed_pool:threads=512";
  progress.workload = "sleep";
  progress.rate_per_s = 1500;
  progress.elapsed_s = 61;
  progress.left_s = 300;
  return progress;
}

TEST(LiveView, CapacitySoFarIsTheHighestRateThatHeldTheSloInAValidTrial) {
  CapacitySoFar so_far = seven_series();
  so_far.take(taken("event_loop", 1000, 5e6));  // known by its key: counts once
  Record lossy = taken("event_loop", 1800, 5e6);
  lossy.trial.counts.scheduled = 1000;
  lossy.trial.counts.sent = 1000;
  lossy.trial.counts.completed = 900;
  lossy.trial.counts.shed = 100;
  so_far.take(lossy);
  Record closed = taken("event_loop", 0, 1e6);
  closed.trial.request.closed = 64;
  closed.trial.goodput_per_s = 9000;
  so_far.take(closed);
  const auto all = so_far.of_workload("sleep");
  ASSERT_EQ(all.size(), 7u);
  EXPECT_EQ(all[4].series, "event_loop");
  EXPECT_EQ(all[4].holds_per_s, 1000);
  EXPECT_EQ(all[4].carries_per_s, 9000);
  EXPECT_EQ(all[4].trials, 5);
  EXPECT_EQ(all[4].invalid, 1);
  EXPECT_EQ(so_far.invalid(), 7);
  EXPECT_EQ(so_far.trials(), 23);
}

TEST(LiveView, EverySeriesHasItsLineAndTheOneUnderWayIsMarked) {
  const auto lines = live_view(under_way(), seven_series(), 100, 30);
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_NE(lines[0].find("cell 3/21"), std::string::npos);
  EXPECT_EQ(lines[4].front(), '>');
  EXPECT_NE(lines[4].find("fixed_pool:threads=512"), std::string::npos);
  EXPECT_NE(lines[4].find("holds   1000/s  carries   2000/s  invalid 1/3"), std::string::npos)
      << lines[4];
  EXPECT_EQ(lines.back(), "  7 of 21 trials invalid  1 min 1 s elapsed, 5 min 0 s left");
}

TEST(LiveView, NeverExceedsTheScreenAndKeepsTheInvalidTrials) {
  for (const std::size_t width : {20u, 34u, 60u, 100u}) {
    for (const std::size_t height : {1u, 2u, 3u, 5u, 9u, 40u}) {
      const auto lines = live_view(under_way(), seven_series(), width, height);
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(line.size(), width) << line;
      if (height < 2) continue;
      EXPECT_EQ(lines.back().substr(0, 10), "  7 of 21 ") << lines.back();
      if (height < 3) continue;
      EXPECT_EQ(lines[lines.size() > 5 ? 4 : 1].front(), '>');
    }
  }
}

// The program.

class Show : public testing::CommandLine {
 protected:
  struct Screen {
    int code = -1;
    std::string text;
  };
  /// What the program writes to a terminal of that size.
  Screen on_terminal(const std::vector<std::string>& arguments, unsigned short columns,
                     const std::map<std::string, std::string>& settings = {}) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 30;
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      for (const char* name : {"NO_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE"}) unsetenv(name);
      setenv("TERM", "xterm", 1);
      setenv("LANG", "C.UTF-8", 1);
      for (const auto& [name, value] : settings) setenv(name.c_str(), value.c_str(), 1);
      std::vector<char*> words = {const_cast<char*>(PRECIPICE_BINARY)};
      for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      if (chdir(directory_.c_str()) == 0) execv(words.front(), words.data());
      _exit(127);
    }
    Screen screen;
    char buffer[1 << 14];
    for (ssize_t got = 0; (got = read(terminal, buffer, sizeof buffer)) > 0;)
      screen.text.append(buffer, static_cast<std::size_t>(got));
    int status = 0;
    waitpid(child, &status, 0);
    close(terminal);
    screen.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::erase(screen.text, '\r');
    return screen;
  }
};

TEST_F(Show, PrintsTheTableOfTheRunAgainAndItsCurves) {
  write("suite.toml", two_queues());
  const Ended measured = run("run suite.toml --out results", "COLUMNS=110");
  ASSERT_EQ(measured.code, 0) << measured.err;
  const std::size_t table = measured.out.find("\nempty ");
  const std::string printed = measured.out.substr(table, measured.out.find("\nempty: ") - table);
  ASSERT_NE(printed.find("oracle service=fixed"), std::string::npos) << measured.out;
  const Ended shown = run("show results/two", "COLUMNS=110");
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_NE(shown.out.find(printed), std::string::npos) << shown.out << "\nbut was\n" << printed;
  EXPECT_NE(shown.out.find("breaks the SLO 10.0ms"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("by saturation"), std::string::npos) << shown.out;
  const auto json = nlohmann::json::parse(run("show results/two --json").out);
  EXPECT_EQ(json.at("cells").size(), 2u);
  EXPECT_EQ(json.at("directory").get<std::string>().find("results/two/"), 0u);
}

TEST_F(Show, IsPlainInAPipeAndFitsNarrowTerminals) {
  finished_run(two_queues());
  for (const int width : {38, 60, 100}) {
    const Ended ended = run("show results/two", "LANG=C.UTF-8 COLUMNS=" + std::to_string(width));
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(is_ascii(ended.out));
    EXPECT_EQ(ended.out.find('\033'), std::string::npos);
    std::string text = ended.out.substr(ended.out.find("\nempty"));
    text.erase(text.rfind("\nfiles:"));
    EXPECT_LE(longest_line(text), static_cast<std::size_t>(width)) << text;
  }
}

TEST_F(Show, ATerminalGetsColoursUnlessTheReaderWantsNone) {
  finished_run(two_queues());
  const Screen coloured = on_terminal({"show", "results/two"}, 50);
  EXPECT_EQ(coloured.code, 0);
  EXPECT_NE(coloured.text.find("\033[31m"), std::string::npos) << coloured.text;
  EXPECT_NE(coloured.text.find("█"), std::string::npos) << coloured.text;
  std::string text = coloured.text.substr(coloured.text.find("\n\n"));
  text.erase(text.rfind("\nfiles:"));
  EXPECT_LE(longest_line(text), 50u) << text;
  const Screen plain = on_terminal({"show", "results/two"}, 50, {{"NO_COLOR", "1"}});
  EXPECT_EQ(plain.text.find('\033'), std::string::npos) << plain.text;
  EXPECT_NE(plain.text.find("█"), std::string::npos) << plain.text;
  const Screen ascii = on_terminal({"show", "results/two"}, 50, {{"LANG", "C"}});
  EXPECT_TRUE(is_ascii(ascii.text)) << ascii.text;
}

TEST_F(Show, ARunUnderWayIsRedrawnOnATerminalOnly) {
  write("suite.toml", two_queues());
  const Screen live = on_terminal({"run", "suite.toml", "--fresh", "--out", "results"}, 80);
  EXPECT_EQ(live.code, 0);
  EXPECT_NE(live.text.find("trials invalid"), std::string::npos) << live.text;
  EXPECT_NE(live.text.find("> oracle:mean=1ms,service="), std::string::npos) << live.text;
  EXPECT_NE(live.text.find("holds"), std::string::npos) << live.text;
  for (const char* setting : {"NO_COLOR", "TERM"}) {
    const Screen still =
        on_terminal({"run", "suite.toml", "--fresh", "--out", "results"}, 80, {{setting, "dumb"}});
    EXPECT_EQ(still.code, 0);
    EXPECT_EQ(still.text.find('\033'), std::string::npos) << still.text;
    EXPECT_EQ(still.text.find("trials invalid"), std::string::npos) << still.text;
    EXPECT_NE(still.text.find("[4/4]"), std::string::npos) << still.text;
  }
}

TEST_F(Show, RefusesWhatIsNoRun) {
  write("empty.txt", "");
  const Ended ended = run("show .");
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("manifest.json"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace precipice
