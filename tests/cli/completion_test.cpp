// Completion offers what the command line has: every verb, every option, and the values it knows.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

class Completion : public testing::CommandLine {
 protected:
  /// First words of the indented lines under "Subcommands:" or "Options:" of a help text.
  std::vector<std::string> listed(const std::string& help, const std::string& heading) const {
    std::vector<std::string> found;
    bool inside = false;
    for (const std::string& line : testing::lines_of(help)) {
      if (!line.starts_with(' ')) inside = line == heading;
      if (!inside || !line.starts_with("  ") || line.size() < 3 || line[2] == ' ') continue;
      found.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    return found;
  }
  /// "-o,--out" -> "--out"
  static std::string long_name(const std::string& names) { return names.substr(names.find("--")); }

  /// What the bash function answers to the words, the last of which is being typed.
  std::string bash(const std::string& words) const {
    const Ended ended = shell(
        "mkdir -p bin && ln -sf " PRECIPICE_BINARY
        " bin/precipice && PATH=$PWD/bin:$PATH && precipice completion bash >c.bash && bash -c '"
        "source ./c.bash; COMP_WORDS=(" +
        words + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _precipice; echo \"${COMPREPLY[*]}\"'");
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ' ' + ended.out.substr(0, ended.out.find('\n')) + ' ';
  }
};

TEST_F(Completion, OffersEveryVerbAndOption) {
  const std::vector<std::string> verbs = listed(run("--help").out, "Subcommands:");
  ASSERT_GE(verbs.size(), 11u);
  const std::string offered_verbs = bash("precipice \"\"");
  int options = 0;
  for (const std::string& verb : verbs) {
    EXPECT_NE(offered_verbs.find(' ' + verb + ' '), std::string::npos) << verb;
    const std::string offered = bash("precipice " + verb + " --");
    for (const std::string& names : listed(run(verb + " --help").out, "Options:")) {
      const std::string option = long_name(names);
      ++options;
      EXPECT_NE(offered.find(' ' + option + ' '), std::string::npos) << verb << ' ' << option;
    }
  }
  EXPECT_GT(options, 50);
  EXPECT_EQ(offered_verbs.find("__complete"), std::string::npos);
}

TEST_F(Completion, SaysWhatAWordMeansAndOffersNothingForAnUnknownVerb) {
  EXPECT_EQ(run("__complete sho").out, "show\tThe table and small curves of a run, once more\n");
  EXPECT_EQ(run("__complete trial --clo").out,
            "--clock\treal, or virtual for the oracle (default: real)\n"
            "--closed\tClosed loop: requests kept in flight, as in 64 or 10k\n");
  const Ended unknown = run("__complete shwo --");
  EXPECT_EQ(unknown.code, 0) << unknown.err;
  EXPECT_EQ(unknown.out, "");
}

TEST_F(Completion, TheScriptOfEveryShellAsksTheProgram) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_NE(run(std::string("completion ") + shell).out.find("command precipice __complete"),
              std::string::npos)
        << shell;
}

TEST_F(Completion, KnowsModelsWorkloadsSuitesRunsAndValues) {
  ASSERT_EQ(shell("mkdir -p results/quick/20260101T000000Z-abc results/baselines/main && "
                  "touch suite-of-mine.toml")
                .code,
            0);
  EXPECT_EQ(bash("precipice trial --model ev"), " event_loop ");
  EXPECT_EQ(bash("precipice capacity --workload sl"), " sleep ");
  EXPECT_EQ(bash("precipice run qui"), " quick ");
  EXPECT_EQ(bash("precipice show results/q"), " results/quick results/quick/20260101T000000Z-abc ");
  EXPECT_EQ(bash("precipice compare --baseline m"), " main ");
  EXPECT_EQ(bash("precipice export results/quick --as h"), " hgrm ");
  EXPECT_EQ(bash("precipice trial --clock v"), " virtual ");
  EXPECT_EQ(bash("precipice completion f"), " fish ");
  EXPECT_EQ(bash("precipice run suite-of-mi"), " suite-of-mine.toml ");
  // The value of an option that takes any is neither an option nor a run.
  EXPECT_EQ(bash("precipice trial --rate \"\""), "  ");
}

TEST_F(Completion, IsAcceptedByTheShellsThatAreThere) {
  for (const char* name : {"bash", "zsh", "fish"}) {
    const std::string command = name;
    if (shell("command -v " + command).code != 0) continue;
    const Ended ended =
        shell(PRECIPICE_BINARY " completion " + command + " >c && " + command + " -n c");
    EXPECT_EQ(ended.code, 0) << command << ": " << ended.err;
    EXPECT_EQ(ended.err, "");
  }
}

TEST_F(Completion, AnotherShellIsRefusedByName) {
  const Ended ended = run("completion bsh");
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("'bash'"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.out, "");
}

}  // namespace
}  // namespace precipice
