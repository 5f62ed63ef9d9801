// What goes wrong over sockets is counted by its kind, and enters no latency.
#include <gtest/gtest.h>

#include <string>

#include "harness/drive/drive_trial.hpp"
#include "models/options.hpp"
#include "tests/support/driven.hpp"
#include "tests/support/scripted_server.hpp"

namespace precipice {
namespace {

using testing::Answer;
using testing::drive;
using testing::request_to;
using testing::response;
using testing::ScriptedServer;
using testing::target_at;

/// Every fourth request fares as `odd`, the others are answered.
ScriptedServer::Script every_fourth(const Answer& odd) {
  return [odd](const std::string&, std::size_t before) {
    return before % 4 == 3 ? odd : Answer{.bytes = response("ok")};
  };
}

/// One connection, so that the order of the requests is known: 40 of them.
void expect_ten(const Answer& odd, const std::string& kind) {
  ScriptedServer server(every_fourth(odd));
  Target target = target_at(server.url(), 1);
  target.expected = "ok";
  target.expected_file = "given";
  const Trial trial = drive(target, 100);
  EXPECT_EQ(trial.counts.scheduled, 40U) << kind;
  EXPECT_EQ(trial.counts.completed, 30U) << kind;
  EXPECT_EQ(trial.counts.failed, 10U) << kind;
  EXPECT_EQ(trial.network->errors, (std::map<std::string, std::uint64_t>{{kind, 10}}));
  EXPECT_EQ(trial.response_histogram.count(), 30U) << kind;
  EXPECT_EQ(server.requests(), 40U) << kind;
}

TEST(DriveFailures, CountsStatusesByClass) {
  expect_ten({.bytes = response("ok", "404 Not Found")}, "status_4xx");
  expect_ten({.bytes = response("ok", "500 Broken")}, "status_5xx");
}

TEST(DriveFailures, FollowsNoRedirection) {
  expect_ten({.bytes = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"},
             "status_3xx");
}

TEST(DriveFailures, CountsWrongAnswers) {
  expect_ten({.bytes = response("no")}, "wrong_answer");
  expect_ten({.bytes = response("okk")}, "wrong_answer");
}

TEST(DriveFailures, CountsWhatIsNoResponse) {
  expect_ten({.bytes = "SSH-2.0-OpenSSH\r\n"}, "protocol");
  expect_ten({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"},
             "protocol");
}

TEST(DriveFailures, CountsConnectionsThatEndTooSoon) {
  expect_ten({.bytes = "", .closes = true}, "closed");
  expect_ten({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", .closes = true}, "closed");
  expect_ten({.bytes = "", .resets = true}, "reset");
}

TEST(DriveFailures, CountsAnswersThatDoNotCome) {
  ScriptedServer server([](const std::string&, std::size_t before) {
    return Answer{.bytes = response("ok"),
                  .after = std::chrono::milliseconds(before == 3 ? 60'000 : 0)};
  });
  Target target = target_at(server.url(), 4);
  target.timeout = std::chrono::milliseconds(200);
  const Trial trial = drive(target, 100);
  EXPECT_EQ(trial.counts.completed, 39U);
  EXPECT_EQ(trial.network->errors, (std::map<std::string, std::uint64_t>{{"timeout", 1}}));
  EXPECT_EQ(trial.network->connects, 1U);
}

TEST(DriveFailures, CountsRefusalsAsShedOnBothSides) {
  ScriptedServer server(every_fourth({.bytes = response("later", "503 Service Unavailable")}));
  const Trial trial = drive(target_at(server.url(), 3), 200);
  EXPECT_EQ(trial.counts.shed, 20U);
  EXPECT_EQ(trial.refusals.at("limit"), 20U);
  EXPECT_EQ(trial.counts.sent, trial.counts.completed + trial.counts.shed);
  EXPECT_EQ(trial.counts.failed, 0U);
  EXPECT_EQ(server.requests(), trial.counts.sent);
}

TEST(DriveFailures, TakesBytesWithoutARequestForNoAnswer) {
  // A second response that nobody asked for must not answer the next request.
  ScriptedServer server([](const std::string&, std::size_t) {
    return Answer{.bytes = response("ok") + response("stray", "500 Stray")};
  });
  Target target = target_at(server.url(), 2);
  target.expected = "ok";
  target.expected_file = "given";
  const Trial trial = drive(target, 100);
  EXPECT_EQ(trial.counts.completed, 40U);
  EXPECT_GT(trial.network->connects, 0U);
}

TEST(DriveFailures, GivesUpWhatHasNotEndedAtTheDeadline) {
  ScriptedServer server([](const std::string&, std::size_t) {
    return Answer{.bytes = response("ok"), .after = std::chrono::seconds(60)};
  });
  TrialRequest request = request_to(target_at(server.url(), 2), 100);
  request.drain = std::chrono::milliseconds(100);
  const Trial trial = drive(request);
  EXPECT_EQ(trial.counts.unfinished, 40U);
  EXPECT_FALSE(trial.drained);
  EXPECT_FALSE(trial.model_fault);
  EXPECT_EQ(trial.response_bound_from_ns.has_value(), true);
}

TEST(DriveFailures, FailsRequestsWhileTheServerIsGone) {
  auto server = std::make_unique<ScriptedServer>(
      [](const std::string&, std::size_t) { return Answer{.bytes = response("ok")}; });
  TargetRunner runner;
  TrialRequest request = request_to(target_at(server->url(), 2), 100);
  std::thread ends([&] {
    while (server->requests() < 10) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server->stop();
  });
  const Trial trial = runner.run(request);
  ends.join();
  EXPECT_EQ(trial.counts.sent, trial.counts.completed + trial.counts.failed);
  EXPECT_GT(trial.network->errors.at("connect"), 0U);
  EXPECT_GT(trial.network->failed_connects, 0U);
}

TEST(DriveFailures, SaysThatThereIsNoServer) {
  std::string url;
  {
    ScriptedServer server([](const std::string&, std::size_t) { return Answer{}; });
    url = server.url();
  }
  try {
    drive(target_at(url), 100);
    FAIL();
  } catch (const Unavailable& missing) {
    EXPECT_NE(std::string(missing.what()).find("Connection refused"), std::string::npos)
        << missing.what();
  }
  TargetRunner runner;
  EXPECT_THROW(runner.calibrate(target_at(url), CpuSet::of_this_thread()), Unavailable);
}

TEST(DriveFailures, SendsNothingElsewhereWithoutABound) {
  // RFC 5737: no host has this address.
  EXPECT_THROW(drive(target_at("http://192.0.2.1/"), 1), UsageError);
  Target bounded = target_at("http://127.0.0.1:1/");
  bounded.max_rate_per_s = 10;
  EXPECT_THROW(drive(bounded, 11), UsageError);
}

}  // namespace
}  // namespace precipice
