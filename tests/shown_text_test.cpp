// What is printed: seen as it is, told apart, and fit to be pasted.
#include "harness/shown_text.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/json.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

TEST(ShownText, WritesOutWhatActsOnATerminal) {
  EXPECT_EQ(shown("\033[2J\033[32mholds\a"), "\\x1b[2J\\x1b[32mholds\\x07");
  EXPECT_EQ(shown("\u009b31m \u202e\u200b"), "\\u009b31m \\u202e\\u200b");
  EXPECT_EQ(shown("\xff \xc3( \xed\xa0\x80"), "\\xff \\xc3( \\xed\\xa0\\x80");
  EXPECT_EQ(shown("a\n\tb é 漢 –"), "a\n\tb é 漢 –");
  EXPECT_EQ(shown_in_line("holds\nfails"), "holds fails");
  EXPECT_EQ(shown("\033[1mA\033[0m\033[2J", true), "\033[1mA\033[0m\\x1b[2J");
}

TEST(JsonText, TakesBytesThatAreNoUtf8) {
  EXPECT_EQ(json_text({{"name", "a\xff"}}), "{\"name\":\"a\uFFFD\"}");
}

std::string output_of_bash(const std::string& script) {
  const std::string command = "exec bash <<'END-OF-SCRIPT'\n" + script + "\nEND-OF-SCRIPT\n";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "no shell";
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

TEST(ShellQuoted, StandsForTheSameBytesInAShell) {
  EXPECT_EQ(shell_quoted("results/quick:threads=8"), "results/quick:threads=8");
  EXPECT_EQ(shell_quoted_path("-o/t"), "./-o/t");
  for (const std::string& word : std::initializer_list<std::string>{
           "", "it's #1.toml", "#t", "~t", "{a,b}", "a \"b\" #c", "=ls", "a\nb", "\033[2J'\\",
           "\xff"
           "7",
           "\u202eé", "$(id)`!*?[a]"}) {
    const std::string script = "printf %s " + shell_quoted(word);
    ASSERT_EQ(shown_in_line(script), script);
    EXPECT_EQ(output_of_bash(script), word) << script;
  }
}

std::vector<std::string> forty_queues(std::size_t width) {
  std::vector<Spec> specs;
  for (int servers = 1; servers <= 40; ++servers)
    specs.push_back(
        {"oracle",
         {{"mean", "1ms"}, {"servers", std::to_string(servers)}, {"service", "exponential"}}});
  std::vector<const Spec*> rows;
  for (const Spec& spec : specs) rows.push_back(&spec);
  return fitted_names(series_names(rows), width, {.width = 80, .colour = false, .utf8 = false});
}

TEST(SeriesNames, LeaveOutWhatAllHaveInCommon) {
  EXPECT_EQ(forty_queues(40)[11], "oracle servers=12");
  const Spec eight{"fixed_pool", {{"threads", "8"}}}, many{"fixed_pool", {{"threads", "64"}}},
      loop{"event_loop", {{"offload_threads", "2"}}};
  EXPECT_EQ(
      series_names({&eight, &many, &loop}),
      (std::vector<std::string>{"fixed_pool threads=8", "fixed_pool threads=64", "event_loop"}));
}

TEST(SeriesNames, StayDifferentAtEveryWidth) {
  for (std::size_t width = 5; width < 24; ++width) {
    const std::vector<std::string> names = forty_queues(width);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 40u) << width;
    for (const std::string& name : names) EXPECT_LE(columns(name), width);
  }
}

using StandardStreams = testing::CommandLine;

TEST_F(StandardStreams, AFullOrClosedOutputIsExitCodeFive) {
  write("suite.toml", testing::two_queues());
  for (const char* verb :
       {"--help", "--version", "list", "list --json", "run suite.toml --dry-run", "completion bash",
        "trial --model oracle --workload empty --clock virtual --rate 100"}) {
    for (const char* to : {" >/dev/full", " >&-"}) {
      const Ended ended = run(std::string(verb) + to);
      EXPECT_EQ(ended.code, 5) << verb << to;
      EXPECT_NE(ended.err.find("cannot write standard output"), std::string::npos) << ended.err;
      EXPECT_EQ(ended.err.find("--out"), std::string::npos) << ended.err;
    }
  }
}

TEST_F(StandardStreams, ClosedOnesLeaveTheJournalToTheTrials) {
  write("suite.toml", testing::two_queues());
  EXPECT_EQ(run("run suite.toml --fresh --out a <&- >&- 2>&-").code, 5);
  const Ended journal = shell("cat a/two/*/journal.jsonl");
  ASSERT_FALSE(journal.out.empty());
  for (const std::string& line : testing::lines_of(journal.out))
    EXPECT_TRUE(Json::accept(line)) << line;
  EXPECT_EQ(run("show a/two").code, 0);
}

}  // namespace
}  // namespace precipice
