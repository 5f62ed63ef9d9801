#include "harness/store/baseline.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/compare/changes.hpp"
#include "harness/json.hpp"
#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

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
window = "8s"
coarse_window = "2s"
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
    suite->replace(suite->find("blocks = 9"), 10, "blocks = 1");
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
