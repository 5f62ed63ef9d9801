// [[target]] of a suite: what is read, what is refused, and that it is written as it was read.
#include "harness/store/suite_targets.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/compare/cell_lookup.hpp"
#include "harness/store/suite.hpp"
#include "harness/store/suite_writer.hpp"

namespace precipice {
namespace {

const std::string kHead = "schema = 1\nname = \"s\"\nslo = \"p99 < 20ms\"\n";
const std::string kTwo = R"(
[[target]]
name = "nginx"
url = "http://127.0.0.1:8080/x?{seed}"
connections = 256
threads = 2
headers = ["Accept: text/plain", "X: \"y\""]
timeout = "2s"
max_rate = 5000
[[target]]
name = "mine"
url = "unix:/run/mine.sock"
connection_per_request = true
)";
const std::string kModels = R"(
[[model]]
use = "inline"
[[workload]]
use = "empty"
)";

TEST(SuiteTargets, AreSeriesOnOneWorkload) {
  const Plan plan = parse_suite(kHead + kTwo, "s.toml");
  const std::vector<CellName> cells = cells_of(plan);
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[0].model.to_string(), "nginx");
  EXPECT_EQ(cells[1].model.to_string(), "mine");
  EXPECT_EQ(cells[0].workload.to_string(), "http");
  const auto nginx = plan.target_of(cells[0].model);
  ASSERT_NE(nginx, nullptr);
  EXPECT_EQ(nginx->url, "http://127.0.0.1:8080/x?{seed}");
  EXPECT_EQ(nginx->connections, 256U);
  EXPECT_EQ(nginx->threads, 2U);
  EXPECT_EQ(nginx->headers.size(), 2U);
  EXPECT_EQ(nginx->timeout, Nanos(2'000'000'000));
  EXPECT_EQ(nginx->max_rate_per_s, 5000);
  EXPECT_TRUE(plan.target_of(cells[1].model)->connection_per_request);
}

TEST(SuiteTargets, StandBesideModels) {
  const std::vector<CellName> cells = cells_of(parse_suite(kHead + kTwo + kModels, "s.toml"));
  ASSERT_EQ(cells.size(), 3U);
  for (const CellName& cell : cells)
    EXPECT_EQ(cell.model.name == "inline", cell.workload.name == "empty");
}

TEST(SuiteTargets, AreWrittenAsTheyWereRead) {
  for (const std::string& suite :
       {kHead + kTwo, kHead + kTwo + kModels,
        "schema = 1\nname = \"s\"\n[[target]]\nname = \"a\"\nurl = \"http://h/\"\n"
        "slo = \"p99 < 5ms\"\n" +
            kModels}) {
    const Plan plan = parse_suite(suite, "s.toml");
    const std::string text = to_toml(plan);
    const Plan again = parse_suite(text, "again.toml");
    EXPECT_EQ(to_toml(again), text);
    EXPECT_EQ(plan_hash(again), plan_hash(plan));
    EXPECT_EQ(cells_of(again).size(), cells_of(plan).size());
  }
}

TEST(SuiteTargets, ReadTheirFilesBesideTheSuite) {
  namespace fs = std::filesystem;
  const fs::path directory =
      fs::temp_directory_path() / ("precipice-st-" + std::to_string(getpid()));
  fs::create_directories(directory);
  std::ofstream(directory / "body.json") << "{}";
  const std::string suite = kHead +
                            "[[target]]\nname = \"a\"\nurl = \"http://h/\"\nmethod = \"POST\"\n"
                            "body = \"body.json\"\n";
  const std::string file = directory / "s.toml";
  const Plan plan = parse_suite(suite, file);
  EXPECT_EQ(plan.targets.at("a")->body, "{}");
  const std::string before = plan_hash(plan);
  std::ofstream(directory / "body.json") << "{ }";
  EXPECT_NE(plan_hash(parse_suite(suite, file)), before);
  fs::remove_all(directory);
  EXPECT_THROW(parse_suite(suite, file), UsageError);
  // Of a run that is there the answers are known, and the body is not needed.
  EXPECT_EQ(parse_suite(suite, file, SuiteUse::read).targets.at("a")->body, "");
}

TEST(SuiteTargets, ResolveInClaims) {
  const std::string claim =
      "[[claim]]\nsay = \"s\"\nthat = \"cliff(mine, http) > cliff(nginx, http)\"\n";
  EXPECT_EQ(parse_suite(kHead + kTwo + claim, "s.toml").claims.size(), 1U);
  const std::string wrong = "[[claim]]\nsay = \"s\"\nthat = \"cliff(other, http) > 1\"\n";
  EXPECT_THROW(parse_suite(kHead + kTwo + wrong, "s.toml"), UsageError);
}

void expect_refusal(const std::string& suite, const std::string& why) {
  try {
    parse_suite(suite, "s.toml");
    FAIL() << suite;
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

TEST(SuiteTargets, AreRefusedWithThePlaceOfTheFault) {
  const auto target = [](const std::string& more) {
    return kHead + "[[target]]\nname = \"a\"\nurl = \"http://h/\"\n" + more;
  };
  expect_refusal(kHead + "[[target]]\nurl = \"http://h/\"\n", "target.name: is missing");
  expect_refusal(kHead + "[[target]]\nname = \"a\"\n", "target.url: is missing");
  expect_refusal(kHead + "[[target]]\nname = \"a\"\nurl = \"ftp://h/\"\n", "s.toml:6: target: url");
  expect_refusal(kHead + "[[target]]\nname = \"a b\"\nurl = \"http://h/\"\n",
                 "s.toml:5: target.name");
  expect_refusal(kHead + "[[target]]\nname = \"inline\"\nurl = \"http://h/\"\n", "name of a model");
  expect_refusal(target("connections = 0\n"), "target.connections");
  expect_refusal(target("threads = 200\n"), "200 threads cannot share 128 connections");
  expect_refusal(target("max_rate = -1\n"), "target.max_rate");
  expect_refusal(target("headers = \"A: b\"\n"), "target.headers");
  expect_refusal(target("headers = [\"A\"]\n"), "header 'A' is no field");
  expect_refusal(target("conections = 3\n"), "connections");
  expect_refusal(target("[[target]]\nname = \"a\"\nurl = \"http://h/\"\n"), "'a' is there twice");
  expect_refusal(target("[[target]]\nname = \"b\"\nurl = \"http://h/\"\nslo = \"p99 < 1ms\"\n"),
                 "compared under one SLO");
  expect_refusal("schema = 1\nname = \"s\"\n[[target]]\nname = \"a\"\nurl = \"http://h/\"\n",
                 "state a time");
  expect_refusal(
      "schema = 1\nname = \"s\"\nslo = \"p99 < 10xS\"\n[[target]]\nname = \"a\"\n"
      "url = \"http://h/\"\n",
      "state a time");
}

}  // namespace
}  // namespace precipice
