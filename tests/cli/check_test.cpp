// Claims of a suite, and the command that judges them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/compare/cell_lookup.hpp"
#include "harness/store/suite.hpp"

namespace precipice {
namespace {

const std::string kQueues = R"(schema = 1
name = "q"
blocks = 2
slo = "p99 < 10xS"
[load]
clock = "virtual"
[search]
refine = [0.9, 1.1]
overload = [1.5]
grid = [0.5]
[[model]]
use = "oracle"
mean = "1ms"
service = ["fixed", "exponential"]
[[workload]]
use = "empty"
)";

std::string claim(const std::string& that) {
  return "[[claim]]\nsay = \"so\"\nthat = \"" + that + "\"\n";
}

TEST(ClaimsOfASuite, AreRefusedWithFileLineAndKey) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      parse_suite(text, "bad.toml");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const std::string unreadable = message(kQueues + claim("cliff(oracle, empty >"));
  EXPECT_TRUE(unreadable.starts_with("bad.toml:19: claim.that: at 22:")) << unreadable;
  const std::string ambiguous = message(kQueues + claim("cliff(oracle, empty) > 1"));
  EXPECT_TRUE(ambiguous.starts_with("bad.toml:19: claim.that: at 1:")) << ambiguous;
  EXPECT_NE(ambiguous.find("oracle:mean=1ms,service=exponential, empty"), std::string::npos);
  EXPECT_EQ(message(kQueues + claim("cliff(oracle.service=fixed, empty) > 1")), "");
  EXPECT_NE(message(kQueues + "models = [\"oracle.threads\"]").find("workload.models"),
            std::string::npos);
  EXPECT_NE(message(kQueues + "models = [\"oracle:service=fixed\"]").find("on no workload"),
            std::string::npos);
}

TEST(ClaimsOfASuite, AWorkloadCanLeaveSeriesOut) {
  const std::string text =
      kQueues + "models = [\"oracle:service=fixed\"]\n" + "[[workload]]\nuse = \"sleep\"\n";
  std::string real = text;
  real.erase(real.find("clock = \"virtual\"\n"), 18);
  const Plan plan = parse_suite(real, "suite.toml");
  EXPECT_EQ(cells_of(plan).size(), 3u);
  const Plan again = parse_suite(to_toml(plan), "resolved.toml");
  EXPECT_EQ(to_toml(again), to_toml(plan));
  EXPECT_EQ(plan_hash(again), plan_hash(plan));
}

TEST(ClaimsOfASuite, OnlyDropsTheClaimsWhoseCellsItDrops) {
  Plan plan = parse_suite(kQueues + claim("cliff(oracle.service=fixed, empty) > 1") +
                              claim("cliff(oracle.service=exponential, empty) > 1"),
                          "suite.toml");
  keep_only(plan, "exponential");
  ASSERT_EQ(plan.claims.size(), 1u);
  EXPECT_NE(plan.claims[0].that.find("exponential"), std::string::npos);
}

TEST(ClaimsOfASuite, ThoseThatComeWithTheProgramAreGood) {
  for (const char* name : {"claims", "claims_tradeoffs", "queues"}) {
    const Plan plan =
        load_suite(std::string(PRECIPICE_SOURCE_DIR "/workloads/suites/") + name + ".toml");
    EXPECT_GE(plan.claims.size(), 10u) << name;
    EXPECT_EQ(parse_suite(to_toml(plan), "resolved.toml").claims.size(), plan.claims.size());
  }
}

class Check : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "precipice-check-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  int command(const std::string& arguments) const {
    const int status = std::system(("cd " + directory_ + " && " + PRECIPICE_BINARY " " + arguments +
                                    " >out.txt 2>err.txt </dev/null")
                                       .c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(directory_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Measures the queues with these claims and checks them.
  int checked(const std::string& claims) const {
    // Without windows of its own a queue gets enough for exact figures.
    std::string queues = kQueues;
    const std::string clock = "clock = \"virtual\"\n";
    queues.insert(queues.find(clock) + clock.size(), "window = \"6s\"\ncoarse_window = \"2s\"\n");
    std::ofstream(directory_ + "/q.toml") << queues << claims;
    std::filesystem::remove_all(directory_ + "/results");
    EXPECT_EQ(command("run q.toml --out results"), 0) << text_of("err.txt");
    return command("check results/q");
  }

  std::string directory_;
};

const std::string kHolds = claim("saturation(oracle.service=fixed, empty) > 900/s");
const std::string kFails = claim("saturation(oracle.service=fixed, empty) > 2k/s");
// It is 539.5/s.
const std::string kUndecided = claim("cliff(oracle.service=exponential, empty) > 540/s");

TEST_F(Check, ExitsAsDocumented) {
  EXPECT_EQ(checked(kHolds), 0) << text_of("err.txt");
  EXPECT_NE(text_of("out.txt").find("holds: so: saturation "), std::string::npos)
      << text_of("out.txt");
  EXPECT_EQ(command("check results/q --json"), 0);
  const auto json = nlohmann::json::parse(text_of("out.txt"));
  EXPECT_EQ(json.at("claims").at(0).at("outcome"), "holds");
  EXPECT_GT(json.at("claims").at(0).at("low").get<double>(), 900);

  EXPECT_EQ(checked(kHolds + kUndecided), 3) << text_of("out.txt");
  EXPECT_EQ(checked(kHolds + kUndecided + kFails), 1) << "one that fails goes first";

  EXPECT_EQ(checked(""), 2);
  EXPECT_NE(text_of("err.txt").find("makes no claim"), std::string::npos) << text_of("err.txt");
  EXPECT_EQ(command("check nowhere"), 2);
}

TEST_F(Check, SaysWhatThisMachineLacks) {
  ASSERT_EQ(checked(kHolds), 0);
  namespace fs = std::filesystem;
  std::string run;
  for (const auto& entry : fs::directory_iterator(directory_ + "/results/q")) {
    if (entry.is_directory() && fs::exists(entry.path() / "manifest.json")) run = entry.path();
  }
  // As a run leaves it whose fixed queue could not be started: no trial, and why in the summary.
  std::ifstream journal(run + "/journal.jsonl");
  std::string kept;
  for (std::string line; std::getline(journal, line);) {
    if (line.find("service=fixed") == std::string::npos) kept += line + '\n';
  }
  journal.close();
  std::ofstream(run + "/journal.jsonl") << kept;
  std::ifstream file(run + "/summary.json");
  auto summary = nlohmann::json::parse(file);
  for (auto& cell : summary.at("cells")) {
    if (cell.at("series").get<std::string>().find("service=fixed") != std::string::npos)
      cell["failure"] = "no such kernel feature";
  }
  std::ofstream(run + "/summary.json") << summary.dump();
  EXPECT_EQ(command("check " + run), 4) << text_of("out.txt") << text_of("err.txt");
  EXPECT_NE(text_of("out.txt").find("no such kernel feature"), std::string::npos)
      << text_of("out.txt");
}

}  // namespace
}  // namespace precipice
