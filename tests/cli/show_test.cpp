#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report/capacity_table.hpp"
#include "harness/report/text_style.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/two_pools.hpp"

namespace precipice {
namespace {

using testing::is_ascii;
using testing::longest_line;
using testing::two_queues;

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
