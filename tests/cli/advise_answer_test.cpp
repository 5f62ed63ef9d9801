// Whole answers of `advise`, on the virtual clock: some ten seconds of simulation each.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.hpp"

namespace precipice {
namespace {

using Json = nlohmann::json;

class AdviseAnswer : public testing::CommandLine {};

constexpr const char* kQuestion =
    "advise --wait 'exponential(5ms)' --rate 600 --slo 'p99<40ms' --clock virtual --out results";

TEST_F(AdviseAnswer, IsOneDocumentAndKeepsTheRun) {
  const Ended ended =
      run(std::string(kQuestion) + " --model oracle:mean=5ms,service=exponential,servers=3 --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  EXPECT_EQ(json["schema"], 1);
  const std::string answer = json["answer"];
  EXPECT_EQ(std::count(answer.begin(), answer.end(), '\n'), 5) << answer;
  // M/M/3 never carries 600/s of 5 ms; M/M/4 at 3/4 of its capacity does within 40 ms.
  EXPECT_EQ(json["today"]["series"], "oracle:mean=5ms,servers=3,service=exponential");
  EXPECT_EQ(json["today"]["meets"], false);
  EXPECT_EQ(json["threads"], 4);
  EXPECT_EQ(json["models"].size(), 4U);
  for (const Json& model : json["models"]) {
    for (const char* figure : {"p99_ns", "cliff_per_s", "headroom"}) {
      EXPECT_TRUE(model[figure].contains("low")) << figure;
      EXPECT_TRUE(model[figure].contains("high")) << figure;
    }
  }
  EXPECT_EQ(json["models"][0]["series"], "oracle:mean=5ms,servers=16,service=exponential");
  ASSERT_EQ(json["at"].size(), 12U);
  for (const char* field : {"series", "rate_per_s", "p99_ns", "goodput_per_s", "valid"})
    EXPECT_TRUE(json["at"][0].contains(field)) << field;
  EXPECT_EQ(json["at"][1]["rate_per_s"], 900.0);

  const std::string directory = json["directory"];
  EXPECT_EQ(shell("test -f " + directory + "/summary.json").code, 0);
  const Ended shown = run("show " + directory + " --json");
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(Json::parse(shown.out)["cells"].size(), 4U);
  EXPECT_NE(shell("cat " + directory + "/suite.toml").out.find("rates = [600, 900, 1200]"),
            std::string::npos);
}

TEST_F(AdviseAnswer, SaysWhereTheRunLiesBelowTableAndChart) {
  const Ended ended = run(kQuestion, "COLUMNS=100");
  ASSERT_EQ(ended.code, 0) << ended.err;
  for (const char* part : {"today: ", "\nmost: ", "\ngain: ", "\npool: ", "\npast: ", "headroom",
                           "p99 at 900/s", "cliffs (", "\nfiles: results/advise/"})
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " is not in\n" << ended.out;
}

}  // namespace
}  // namespace precipice
