// Trials over sockets against servers whose answers are known.
#include "harness/drive/drive_trial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

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

ScriptedServer::Script always(const std::string& bytes) {
  return [bytes](const std::string&, std::size_t) { return Answer{.bytes = bytes}; };
}

bool has_gate(const Trial& trial, TrialGate gate) {
  return std::any_of(trial.invalid_reasons.begin(), trial.invalid_reasons.end(),
                     [&](const InvalidReason& reason) { return reason.gate == gate; });
}

TEST(DriveTrial, AnswersEveryRequestOfAnOpenLoopOnce) {
  ScriptedServer server(always(response("ok")));
  const Trial trial = drive(target_at(server.url()), 500);
  EXPECT_EQ(trial.counts.scheduled, 200U);
  EXPECT_EQ(trial.counts.completed, 200U);
  EXPECT_EQ(server.requests(), 200U);
  EXPECT_EQ(server.connections(), 8U);
  EXPECT_EQ(trial.network->connects, 0U);
  EXPECT_TRUE(trial.network->errors.empty());
  EXPECT_TRUE(trial.drained);
  EXPECT_FALSE(trial.model_fault);
  EXPECT_LT(trial.little_error, 0.001);
}

TEST(DriveTrial, SplitsAResponseIntoLagWaitAndWire) {
  ScriptedServer server(always(response("ok")));
  const Trial trial = drive(target_at(server.url()), 500);
  // Means add up exactly, as each request's parts do.
  EXPECT_NEAR(trial.response.mean,
              trial.lag.mean + trial.connection_wait.mean + trial.residence.mean, 1);
}

TEST(DriveTrial, KeepsAClosedLoopAtItsLength) {
  ScriptedServer server(always(response("ok")));
  const Trial trial = drive(target_at(server.url(), 5), 0, 5);
  EXPECT_GT(trial.counts.completed, 5U);
  EXPECT_EQ(trial.counts.completed, trial.counts.sent);
  EXPECT_LE(server.most_at_once(), 5U);
  EXPECT_EQ(server.connections(), 5U);
}

TEST(DriveTrial, MakesAConnectionForEachRequestIfAsked) {
  ScriptedServer server(always(response("ok")));
  Target target = target_at(server.url());
  target.connection_per_request = true;
  const Trial trial = drive(target, 200);
  EXPECT_EQ(trial.counts.completed, 80U);
  EXPECT_EQ(trial.network->connects, 80U);
  EXPECT_EQ(server.connections(), 81U);  // and one to see that there is a server
  for (const std::string& head : server.heads())
    EXPECT_NE(head.find("Connection: close"), std::string::npos);
}

TEST(DriveTrial, ReplacesConnectionsThatTheServerCloses) {
  ScriptedServer server([](const std::string&, std::size_t) {
    return Answer{.bytes = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                  .closes = true};
  });
  const Trial trial = drive(target_at(server.url(), 4), 200);
  EXPECT_EQ(trial.counts.completed, 80U);
  EXPECT_TRUE(trial.network->errors.empty());
  EXPECT_GE(trial.network->connects, 70U);
}

TEST(DriveTrial, PutsEachRequestsSeedIntoTheTarget) {
  ScriptedServer server(always(response("ok")));
  drive(target_at(server.url("/work?seed={seed}")), 500);
  std::set<std::string> targets;
  for (const std::string& head : server.heads()) targets.insert(head.substr(0, head.find(" HTTP")));
  EXPECT_GT(targets.size(), 100U);  // 200 seeds of 4096
  for (const std::string& each : targets) {
    ASSERT_TRUE(each.starts_with("GET /work?seed=")) << each;
    EXPECT_LT(std::stoul(each.substr(15)), 4096U);
  }
}

TEST(DriveTrial, SendsMethodHeadersAndBody) {
  ScriptedServer server([](const std::string& request, std::size_t) {
    const std::size_t body = request.find("\r\n\r\n") + 4;
    const bool whole = request.size() == body + 6'000'000 &&
                       request.find_first_not_of('x', body) == std::string::npos;
    return Answer{.bytes = response(whole ? "all" : "not all")};
  });
  Target target = target_at(server.url("/in"), 2);
  target.method = "POST";
  target.headers = {"X-One: 1", "Host: elsewhere"};
  target.timeout = std::chrono::minutes(5);   // whatever else runs here
  target.body = std::string(6'000'000, 'x');  // more than a socket takes at once
  target.expected = "all";
  target.expected_file = "given";
  const Trial trial = drive(target, 10);
  EXPECT_EQ(trial.counts.completed, 4U);
  const std::string head = server.heads().front();
  EXPECT_TRUE(head.starts_with("POST /in HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("\r\nX-One: 1\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nHost: elsewhere\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nContent-Length: 6000000"), std::string::npos) << head;
}

TEST(DriveTrial, ReadsResponsesThatComeByteByByte) {
  ScriptedServer server([](const std::string&, std::size_t) {
    return Answer{.bytes =
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "2\r\nok\r\n0\r\n\r\n",
                  .at_a_time = 1};
  });
  Target target = target_at(server.url());
  target.expected = "ok";
  target.expected_file = "given";
  EXPECT_EQ(drive(target, 100).counts.completed, 40U);
}

TEST(DriveTrial, KnowsThatAnAnswerToHeadHasNoBody) {
  ScriptedServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"));
  Target target = target_at(server.url());
  target.method = "HEAD";
  EXPECT_EQ(drive(target, 200).counts.completed, 80U);
}

TEST(DriveTrial, GoesOverAUnixSocket) {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("precipice-drive-" + std::to_string(getpid()) + ".sock");
  ScriptedServer server(always(response("ok")), path);
  EXPECT_EQ(drive(target_at(server.url("/x")), 200).counts.completed, 80U);
  EXPECT_TRUE(server.heads().front().starts_with("GET /x HTTP/1.1\r\nHost: localhost"));
}

TEST(DriveTrial, DividesItsWorkAmongThreads) {
  ScriptedServer server(always(response("ok")));
  Target target = target_at(server.url(), 7);
  target.threads = 3;
  const Trial open = drive(target, 500);
  EXPECT_EQ(open.counts.completed, 200U);
  EXPECT_EQ(server.connections(), 7U);
  EXPECT_EQ(open.network->threads, 3U);
  const Trial closed = drive(target, 0, 2);  // fewer lanes than threads
  EXPECT_GT(closed.counts.completed, 0U);
  EXPECT_EQ(closed.network->threads, 2U);
}

/// One stall of 300 ms under 100 requests a second on one connection: the open loop charges it to
/// the thirty that were due meanwhile, the closed loop sees it once.
TEST(DriveTrial, ChargesAStallToEveryRequestThatItDelayed) {
  const auto stalling = [](const std::string&, std::size_t before) {
    return Answer{.bytes = response("ok"),
                  .after = std::chrono::milliseconds(before == 5 ? 300 : 0)};
  };
  const auto longer_than_100ms = [](const Trial& trial) {
    return trial.response_histogram.count_beyond(100e6);
  };
  ScriptedServer first(stalling);
  const Trial open = drive(target_at(first.url(), 1), 100);
  EXPECT_EQ(open.counts.completed, 40U);
  EXPECT_GE(longer_than_100ms(open), 19);  // due in the first 200 ms of it, but for one
  EXPECT_GT(open.network->all_busy, 0.5);
  EXPECT_TRUE(open.network->connections_bound || open.residence.p99 > 10e6);
  ScriptedServer second(stalling);
  const Trial closed = drive(target_at(second.url(), 1), 0, 1);
  EXPECT_GT(closed.counts.completed, 5U);
  EXPECT_GE(longer_than_100ms(closed), 1);
}

TEST(DriveTrial, NeverExceedsTheBoundOfAClosedLoop) {
  ScriptedServer server(always(response("ok")));
  Target target = target_at(server.url(), 4);
  target.max_rate_per_s = 50;
  const Trial trial = drive(target, 0, 4);
  EXPECT_GT(trial.counts.completed, 0U);
  EXPECT_LE(server.requests(), 21U);  // 0.4 s, and the first at once
}

TEST(DriveTrial, EndsAtOnceWhenItIsToldTo) {
  ScriptedServer server(always(response("ok")));
  std::atomic<bool> stop{false};
  TargetRunner runner;
  runner.set_stop(&stop);
  TrialRequest request = request_to(target_at(server.url()), 100);
  request.window = std::chrono::seconds(600);
  std::thread later([&] {
    while (server.requests() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop = true;
  });
  const Trial trial = runner.run(request);
  later.join();
  EXPECT_TRUE(has_gate(trial, TrialGate::interrupted));
  EXPECT_FALSE(trial.valid);
}

TEST(DriveTrial, TellsEachSecond) {
  ScriptedServer server(always(response("ok")));
  TargetRunner runner;
  std::vector<int> seconds;
  std::uint64_t completed = 0;
  runner.set_on_second([&](int second, const SecondTally& tally) {
    seconds.push_back(second);
    completed += tally.completed;
    EXPECT_EQ(tally.responses.count(), tally.completed);
  });
  Target target = target_at(server.url());
  target.threads = 2;
  TrialRequest request = request_to(target, 100);
  request.window = std::chrono::milliseconds(2100);
  EXPECT_EQ(runner.run(request).counts.completed, 210U);
  EXPECT_EQ(completed, 210U);
  ASSERT_GE(seconds.size(), 3U);
  for (std::size_t i = 0; i < seconds.size(); ++i) EXPECT_EQ(seconds[i], static_cast<int>(i));
}

TEST(DriveTrial, MeasuresTheServiceTimeOfATarget) {
  ScriptedServer server([](const std::string&, std::size_t) {
    return Answer{.bytes = response("ok"), .after = std::chrono::milliseconds(5)};
  });
  TargetRunner runner;
  const CpuSet cpus({CpuSet::of_this_thread().list().front()});
  const Calibration calibration = runner.calibrate(target_at(server.url()), cpus);
  EXPECT_TRUE(calibration.valid);
  EXPECT_GE(calibration.mean_ns, 5e6);
  EXPECT_GE(calibration.p99_ns, calibration.mean_ns * 0.9);
  EXPECT_GE(server.requests(), 40U);
  EXPECT_EQ(server.most_at_once(), 1U);
}

TEST(DriveTrial, MeasuresAServiceTimeBeyondTheUsualWindow) {
  ScriptedServer server([](const std::string&, std::size_t) {
    return Answer{.bytes = response("ok"), .after = std::chrono::milliseconds(400)};
  });
  TargetRunner runner;
  const CpuSet cpus({CpuSet::of_this_thread().list().front()});
  EXPECT_GE(runner.calibrate(target_at(server.url()), cpus).mean_ns, 400e6);
}

}  // namespace
}  // namespace precipice
