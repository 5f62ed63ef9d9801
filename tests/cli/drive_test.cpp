// `precipice drive` and `precipice capacity --target` as a user meets them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "harness/json.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/scripted_server.hpp"

namespace precipice {
namespace {

using testing::Answer;
using testing::response;
using testing::ScriptedServer;

class DriveCommand : public testing::CommandLine {
 protected:
  ScriptedServer server_{[](const std::string& request, std::size_t) {
    return Answer{.bytes =
                      request.starts_with("GET /shed") ? response("", "503 Busy") : response("ok")};
  }};

  /// What a trial that this machine disturbs exits with counts too.
  Json document(const std::string& arguments) const {
    const Ended ended = run(arguments + " --json");
    EXPECT_TRUE(ended.code == 0 || ended.code == 3) << ended.err;
    return Json::parse(ended.out);
  }
  void expect_usage(const std::string& arguments, const std::string& sentence) const {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 2) << arguments;
    EXPECT_NE(ended.err.find(sentence), std::string::npos) << ended.err;
  }
};

TEST_F(DriveCommand, PrintsATrial) {
  const std::string load = "drive --target " + server_.url() +
                           " --rate 100 --arrivals fixed --seconds 0.5 --warmup 0 --connections 4";
  const Json trial = document(load);
  EXPECT_EQ(trial["counts"]["completed"], 50);
  EXPECT_EQ(trial["workload"], "http");
  EXPECT_EQ(trial["target"]["url"], server_.url());
  EXPECT_EQ(trial["network"]["connections"], 4);
  for (const char* part : {"response_ns", "lag_ns", "connection_wait_ns", "residence_ns"})
    EXPECT_TRUE(trial[part]["p99"].is_number()) << part;
  const Ended text = run(load);
  for (const char* row : {"response", "own lag", "connection", "wire"})
    EXPECT_NE(text.out.find(std::string("\n") + row), std::string::npos) << text.out;
}

TEST_F(DriveCommand, CountsWhatIsShed) {
  const Json trial =
      document("drive --target " + server_.url("/shed") + " --closed 2 --seconds 0.3 --warmup 0");
  EXPECT_GT(trial["counts"]["shed"], 0);
  EXPECT_EQ(trial["counts"]["completed"], 0);
  EXPECT_EQ(trial["network"]["connections"], 2);
}

TEST_F(DriveCommand, SendsBodiesAndChecksAnswers) {
  write("body.txt", "what is sent");
  write("wanted.txt", "ok");
  write("other.txt", "no");
  const std::string load = "drive --target " + server_.url() +
                           " --rate 50 --arrivals fixed --seconds 0.4 --warmup 0 --method POST "
                           "--header 'X: y' --body body.txt --expect ";
  EXPECT_EQ(document(load + "wanted.txt")["counts"]["completed"], 20);
  const Json wrong = document(load + "other.txt");
  EXPECT_EQ(wrong["network"]["errors"]["wrong_answer"], 20);
  EXPECT_EQ(wrong["response_ns"]["p50"], nullptr);
}

TEST_F(DriveCommand, RefusesWhatCannotBe) {
  const std::string here = "drive --target " + server_.url();
  expect_usage(here, "give either --rate R");
  expect_usage(here + " --rate 5 --closed 5", "give either --rate R");
  expect_usage(here + " --closed 8 --connections 4", "--connections 8");
  expect_usage(here + " --rate 5 --threads 9 --connections 4", "9 threads cannot share 4");
  expect_usage(here + " --rate 5 --max-rate 4", "--max-rate");
  expect_usage(here + " --rate 5 --header nothing", "is no field");
  expect_usage(here + " --rate 5 --slo 'p99<10xS'", "S of a server is not known");
  expect_usage("drive --target 127.0.0.1:80 --rate 5", "has no scheme");
  expect_usage("drive --target http://192.0.2.1/ --rate 5", "is not on this machine");
  expect_usage("capacity --target http://192.0.2.1/", "is not on this machine");
  expect_usage("capacity --target " + server_.url() + " --model inline", "measured as it is");
  expect_usage("capacity --target " + server_.url() + " --slo 'p99<10xS'", "give a time");
  expect_usage("capacity --workload empty", "--model is required, or --target");
  EXPECT_EQ(run("drive --target http://127.0.0.1:1/ --rate 5").code, 4);
}

TEST_F(DriveCommand, SearchesAServersCapacityWithinTheUsersBound) {
  const Json found =
      document("capacity --target " + server_.url() +
               " --connections 4 --max-rate 200 --arrivals fixed --blocks 1 --seconds 0.2 --force "
               "--warmup 0.1 --slo 'p99<1s'");
  EXPECT_EQ(found["workload"], "http");
  ASSERT_FALSE(found["points"].empty());
  for (const Json& point : found["points"]) {
    EXPECT_LE(point["rate_per_s"], 200);
    EXPECT_LE(point["offered_per_s"], 206) << point["request"]["closed"];
  }
  EXPECT_TRUE(found["limit"].is_string());
}

}  // namespace
}  // namespace precipice
