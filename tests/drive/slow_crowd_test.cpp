// Slow clients, and connections that end after some requests, against servers whose answers are
// known.
#include "harness/drive/slow_crowd.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "harness/drive/drive_trial.hpp"
#include "harness/http/url.hpp"
#include "models/options.hpp"
#include "tests/support/driven.hpp"
#include "tests/support/scripted_server.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::drive;
using testing::response;
using testing::ScriptedServer;
using testing::target_at;

constexpr std::uint32_t kSlow = 5;
constexpr std::size_t kRequests = 200;  // of 400 ms at 500/s

ScriptedServer::Script always(const std::string& bytes, bool closes = false) {
  return [bytes, closes](const std::string&, std::size_t) {
    return Answer{.bytes = bytes, .closes = closes};
  };
}

Target with_slow(const ScriptedServer& server, SlowKind kind) {
  Target target = target_at(server.url("/a"));
  target.slow = {.count = kSlow, .kind = kind, .interval = 10ms};
  return target;
}

TEST(SlowClients, ArePartOfNoFigureOfTheRequests) {
  for (const auto& [kind, whole] : {std::pair(SlowKind::header, 0U), std::pair(SlowKind::body, 0U),
                                    std::pair(SlowKind::idle, 1U), std::pair(SlowKind::read, 8U)}) {
    ScriptedServer server(always(response("ok")));
    const Trial trial = drive(with_slow(server, kind), 500);
    EXPECT_EQ(trial.counts.scheduled, kRequests);
    EXPECT_EQ(trial.counts.completed, kRequests) << to_string(kind);
    EXPECT_EQ(server.connections(), 8U + kSlow) << to_string(kind);
    EXPECT_EQ(server.requests(), kRequests + std::size_t{kSlow} * whole) << to_string(kind);
    EXPECT_TRUE(trial.network->errors.empty());
    EXPECT_EQ(trial.network->slow_clients, kSlow);
    EXPECT_EQ(trial.network->slow_lost, 0U);
    EXPECT_EQ(trial.network->connections, 8U);
  }
}

TEST(SlowClients, AreMadeAnewWhenTheServerClosesThem) {
  ScriptedServer server(always(response("ok"), true));
  const Endpoint endpoint = Endpoint::of(parse_url(server.url(), "url"));
  SlowCrowd crowd(endpoint, nullptr, {.count = kSlow, .kind = SlowKind::idle, .interval = 10ms},
                  "GET / HTTP/1.1\r\nHost: a\r\n\r\n", nullptr);
  crowd.start(CpuSet::of_this_thread());
  while (server.connections() < 3 * kSlow) std::this_thread::sleep_for(1ms);
  const SlowReport report = crowd.stop();
  EXPECT_GE(report.lost, kSlow);
  EXPECT_GE(report.opened, report.lost);
  const std::size_t after = server.connections();
  EXPECT_GE(report.opened, after - kSlow);  // the last of them may not have been made yet
  EXPECT_EQ(crowd.stop().opened, report.opened);
}

/// What the first connection of one slow client gets, up to `bytes`.
std::string received_from(SlowKind kind, std::size_t bytes) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener, 16), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  const Endpoint endpoint = Endpoint::of(parse_url(url, "url"));
  SlowCrowd crowd(endpoint, nullptr, {.count = 1, .kind = kind, .interval = 10ms},
                  "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", nullptr);
  crowd.start(CpuSet::of_this_thread());
  const int peer = ::accept(listener, nullptr, nullptr);
  std::string text;
  for (char byte = 0; text.size() < bytes && ::recv(peer, &byte, 1, 0) == 1;) text += byte;
  crowd.stop();
  ::close(peer);
  ::close(listener);
  return text;
}

TEST(SlowClients, NeverSendAWholeRequest) {
  const std::string head = "GET /slow HTTP/1.1\r\nHost: a\r\nX-Slow: slow\r\nX-Slow: slow\r\n";
  EXPECT_EQ(received_from(SlowKind::header, head.size()), head);
  const std::string body = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nxxxx";
  EXPECT_EQ(received_from(SlowKind::body, body.size()), body);
}

TEST(SlowClients, AreBounded) {
  const Target target = target_at("http://127.0.0.1:9/");
  for (const SlowClients& slow :
       {SlowClients{.count = 20'001}, SlowClients{.count = 1, .interval = 1ms},
        SlowClients{.count = 20'000, .interval = 100ms}}) {
    Target wrong = target;
    wrong.slow = slow;
    EXPECT_THROW(check_target(wrong), UsageError);
  }
  EXPECT_THROW(parse_slow_kind("heading"), UsageError);
  for (const SlowKind kind : {SlowKind::header, SlowKind::body, SlowKind::read, SlowKind::idle})
    EXPECT_EQ(parse_slow_kind(to_string(kind)), kind);
}

TEST(SlowClients, AreRefusedForAServerOnAnotherMachine) {
  Target target = target_at("http://192.0.2.1/");  // of no machine (RFC 5737)
  target.max_rate_per_s = 1000;
  target.slow.count = 1;
  EXPECT_THROW(drive(target, 10), UsageError);
}

TEST(Connections, EndAfterTheirRequestsAndAreReplaced) {
  ScriptedServer server(always(response("ok")));
  Target target = target_at(server.url());
  target.requests_per_connection = 4;
  const Trial trial = drive(target, 500);
  EXPECT_EQ(trial.counts.completed, kRequests);
  EXPECT_TRUE(trial.network->errors.empty());
  const std::vector<std::string> heads = server.heads();
  const auto last = static_cast<std::size_t>(std::count_if(
      heads.begin(), heads.end(),
      [](const std::string& head) { return head.find("Connection: close") != std::string::npos; }));
  // Each of the 8 that are open at the end has had at most 3.
  EXPECT_GE(last, (kRequests - 8 * 3) / 4);
  EXPECT_LE(last, kRequests / 4);
  EXPECT_LE(trial.network->connects, last);
  EXPECT_GE(trial.network->connects + 8, last);
}

TEST(Connections, AreForOneRequestOrForSeveral) {
  Target target = target_at("http://127.0.0.1:9/");
  target.connection_per_request = true;
  target.requests_per_connection = 4;
  EXPECT_THROW(check_target(target), UsageError);
  target.requests_per_connection = 1;
  EXPECT_NO_THROW(check_target(target));
}

}  // namespace
}  // namespace precipice
