// The program as a user meets it: a process with arguments, an exit code and messages.
#include <gtest/gtest.h>

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/json.hpp"
#include "tests/support/command_line.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class Cli : public precipice::testing::CommandLine {
 protected:
  void expect_refused(const std::string& arguments, int code,
                      std::initializer_list<const char*> parts) const {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, code) << arguments << "\n" << ended.err;
    for (const char* part : parts)
      EXPECT_NE(ended.err.find(part), std::string::npos)
          << "'" << part << "' is not in: " << ended.err;
    EXPECT_EQ(ended.out, "") << arguments;
  }
};

TEST_F(Cli, SuggestsTheVerbModelWorkloadKeyAndOptionThatWasMeant) {
  expect_refused("capcity", 2, {"'capcity'", "'capacity'"});
  expect_refused("trial --model fixed_pol --workload cpu --rate 10", 2, {"fixed_pool"});
  expect_refused("trial --model fixed_pool --workload cpuu --rate 10", 2, {"'cpu'"});
  expect_refused("trial --model fixed_pool:treads=1 --workload cpu --rate 10", 2, {"threads"});
  expect_refused("trial --model fixed_pool --workload cpu --rte 10", 2, {"--rate"});
  expect_refused("list modles", 2, {"'models'"});
  expect_refused("", 2, {});
}

TEST_F(Cli, RefusesRatesThatAreNone) {
  for (const char* rate : {"0", "-1", "nan", "inf", "many", "-0.5"})
    expect_refused(std::string("trial --model inline --workload cpu --rate ") + rate, 2,
                   {"--rate", "above 0"});
  expect_refused("trial --model inline --workload cpu --rate 1e12", 2, {"generator can offer"});
  expect_refused("trial --model inline --workload cpu", 2, {"--rate", "--closed"});
  expect_refused("trial --model inline --workload cpu --rate 1 --closed 1", 2, {"--closed"});
}

TEST_F(Cli, ADirectoryWithTheNameOfASuiteIsNoSuite) {
  fs::create_directories(directory_ + "/demo");
  fs::create_directories(directory_ + "/mine");
  EXPECT_EQ(run("run demo --dry-run").code, 0);
  expect_refused("run ./demo --dry-run", 2, {"./demo: is a directory"});
  expect_refused("run mine --dry-run", 2, {"mine: is a directory"});
}

TEST_F(Cli, WorkThatReadsNoFileNeedsNoScratchDirectory) {
  const std::string trial = "trial --model inline --workload empty --rate 10 --seconds 20ms";
  for (const char* settings :
       {"PRECIPICE_SCRATCH=/proc/nope", "PRECIPICE_SCRATCH= XDG_CACHE_HOME= HOME=",
        "-u PRECIPICE_SCRATCH -u XDG_CACHE_HOME -u HOME"}) {
    const Ended ended = run(trial, std::string("env ") + settings);
    EXPECT_TRUE(ended.code == 0 || ended.code == 3) << settings << "\n" << ended.err;
  }
  EXPECT_TRUE(fs::is_empty(directory_) || !fs::exists(directory_ + "/precipice"));
  const Ended ended = run("trial --model inline --workload file:size=4KiB --rate 10 --seconds 20ms",
                          "PRECIPICE_SCRATCH=/proc/nope");
  EXPECT_EQ(ended.code, 4);
  EXPECT_NE(ended.err.find("PRECIPICE_SCRATCH"), std::string::npos) << ended.err;
}

TEST_F(Cli, RefusesCpusThatDoNotExist) {
  for (const char* option : {"--model-cpus", "--generator-cpus"}) {
    for (const char* cpus : {"9999", "x", "3-1"})
      expect_refused(
          std::string("trial --model inline --workload cpu --rate 1 ") + option + " " + cpus, 2,
          {option});
  }
}

TEST_F(Cli, RefusesTheVirtualClockForRealModels) {
  expect_refused("trial --model inline --workload cpu --rate 1 --clock virtual", 2, {"oracle"});
  expect_refused("trial --model inline --workload cpu --rate 1 --clock fast", 2, {"--clock"});
}

TEST_F(Cli, NamesFileLineAndKeyOfABadSuite) {
  write("bad.toml", "schema = 1\nname = \"bad\"\nblocs = 3\n");
  expect_refused("run bad.toml", 2, {"bad.toml:3", "blocs", "'blocks'"});
  expect_refused("run nowhere.toml", 2, {"nowhere.toml"});
  expect_refused("run quik", 2, {"'quick'"});
}

TEST_F(Cli, SaysWhereResultsCannotBeWritten) {
  write("taken", "");
  expect_refused("run demo --out taken", 5, {"taken", "--out"});
}

TEST_F(Cli, DryRunMeasuresNothingAndSaysHowLong) {
  const Ended ended = run("run quick --dry-run --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  EXPECT_GT(json.at("expected_s").get<double>(), 0);
  EXPECT_GE(json.at("cells").size(), 15u);
  EXPECT_FALSE(fs::exists(directory_ + "/results"));
}

TEST_F(Cli, ListsWhatThereIs) {
  const Ended ended = run("list --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  EXPECT_EQ(json.at("models").size(), 7u);
  EXPECT_EQ(json.at("workloads").size(), 10u);
  EXPECT_EQ(json.at("policies").size(), 9u);
  EXPECT_GE(json.at("suites").size(), 3u);
}

TEST_F(Cli, HelpHasExamplesAndExitCodes) {
  for (const char* verb : {"", "doctor ", "list ", "trial ", "capacity ", "run "}) {
    const Ended ended = run(std::string(verb) + "--help");
    EXPECT_EQ(ended.code, 0);
    EXPECT_NE(ended.out.find("Example"), std::string::npos) << verb;
  }
  EXPECT_NE(run("--help").out.find("130 interrupted"), std::string::npos);
}

TEST_F(Cli, AVirtualTrialPrintsTheJsonOfATrial) {
  const Ended ended = run(
      "trial --model oracle:mean=1ms,service=exponential --workload empty --rate 500 --seconds 20 "
      "--clock virtual --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_EQ(json.at("rate_per_s"), 500.0);
  EXPECT_TRUE(json.at("valid").get<bool>());
  EXPECT_EQ(json.at("counts").at("scheduled"), json.at("counts").at("completed"));
  for (const char* field : {"response_ns", "lag_ns", "self_lag_ns", "submit_ns", "residence_ns"}) {
    for (const char* part : {"mean", "p50", "p90", "p95", "p99", "p999", "max"})
      EXPECT_TRUE(json.at(field).contains(part)) << field << "." << part;
  }
  EXPECT_EQ(json.at("checksum").get<std::string>().size(), 16u);
  EXPECT_TRUE(json.at("invalid_reasons").empty());
}

TEST_F(Cli, ClassesOfRequestsHaveTheirOwnFigures) {
  const std::string queue =
      " --model oracle:mean=1ms,service=exponential --policy queue:running=1,order=priority "
      "--workload empty --clock virtual --class 'live:share=0.5,slo=p99<5ms' "
      "--class 'batch:share=0.5' ";
  const Ended ended = run("trial --rate 700 --seconds 20 --json" + queue);
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json classes = Json::parse(ended.out).at("classes");
  ASSERT_EQ(classes.size(), 2u);
  EXPECT_EQ(classes[0].at("name"), "live");
  EXPECT_LT(classes[0].at("response_ns").at("mean").get<double>(),
            classes[1].at("response_ns").at("mean").get<double>());
  EXPECT_NE(run("trial --rate 700 --seconds 2" + queue).out.find("class batch: "),
            std::string::npos);
  const Ended capacity = run("capacity --blocks 2 --slo 'p99<20ms' --json" + queue);
  ASSERT_EQ(capacity.code, 0) << capacity.err;
  const Json found = Json::parse(capacity.out).at("classes");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].at("slo_ns"), 5e6);
  EXPECT_EQ(found[1].at("slo_ns"), 20e6);
  EXPECT_EQ(run("trial --rate 700 --class live:share=0.5 --model oracle --workload empty --clock "
                "virtual")
                .code,
            2);
}

TEST_F(Cli, VirtualCapacityFindsTheCliffOfAQueue) {
  const Ended ended =
      run("capacity --model oracle:servers=1,service=exponential,mean=1ms --workload empty "
          "--clock virtual --blocks 3 --json");
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::parse(ended.out);
  // M/M/1: lambda_10 = 1000 (1 - ln 100 / 10).
  EXPECT_NEAR(json.at("cliff_per_s").at("value").get<double>(), 539.5, 0.02 * 539.5);
  EXPECT_EQ(json.at("cliff_per_s").at("reached"), "ok");
  for (const char* field : {"saturation_per_s", "cliff5_per_s", "cliff20_per_s", "knee_per_s"}) {
    for (const char* part : {"value", "low", "high", "reached"})
      EXPECT_TRUE(json.at(field).contains(part)) << field << "." << part;
  }
  EXPECT_NEAR(json.at("recovery").at("value").get<double>(), 1, 0.02);
  EXPECT_FALSE(json.at("points").empty());
}

TEST_F(Cli, CyclesOfBurstsThatNoTrialHoldsAreRefusedBeforeAnyIsMade) {
  const std::string oracle = " --model oracle --workload empty --clock virtual --arrivals ";
  for (const std::string& call :
       {"capacity" + oracle + "'bursts(1ns,1h)'", "capacity" + oracle + "'bursts(1ns,59m)'",
        "trial --rate 100k" + oracle + "'bursts(1ns,59m)'"}) {
    const Ended ended = run(call);
    EXPECT_EQ(ended.code, 2) << call;
    EXPECT_NE(ended.err.find("bursts(1ns,"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("on and off"), std::string::npos) << ended.err;
  }
}

}  // namespace
