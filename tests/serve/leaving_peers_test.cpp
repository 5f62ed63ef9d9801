// Peers that leave at any stage, parked connections, and a listening socket for each executor: what
// was opened is closed, whoever works on it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/serve/listener.hpp"
#include "harness/serve/server.hpp"
#include "harness/trial/spec.hpp"
#include "models/model.hpp"
#include "tests/support/http_peer.hpp"

namespace precipice::serve {
namespace {

using namespace std::chrono_literals;
using testing::HttpPeer;

constexpr std::string_view kPlain = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPlainEnd = "\r\n\r\nHello, world!";

ServeSettings settings_of(const std::string& model) {
  ServeSettings s;
  s.model = parse_model(model);
  s.workload = parse_workload("empty");
  s.listen = parse_address("0");
  s.cpus = CpuSet::of_this_thread();
  s.connections = 512;
  return s;
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void expect_answer(HttpPeer& peer) {
  ASSERT_TRUE(peer.send(kPlain));
  EXPECT_TRUE(peer.receive_until(kPlainEnd).starts_with("HTTP/1.1 200 OK\r\n"));
}

class LeavingPeers : public ::testing::TestWithParam<std::string> {};

TEST_P(LeavingPeers, LeaveNothingOpen) {
  if (const auto reason = model_named(parse_model(GetParam()).name).unavailable())
    GTEST_SKIP() << *reason;
  constexpr int kTimes = 8;
  const std::vector<std::string> stages = {
      "",
      "GET /pl",
      std::string(kPlain),
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
      std::string(kPlain) + std::string(kPlain) + "GET",
      "nonsense\r\n\r\n",
      "GET /work?seed=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"};
  const std::size_t before = open_descriptors();
  {
    Server server(settings_of(GetParam()));
    for (int i = 0; i < kTimes; ++i) {
      for (const std::string& stage : stages) {
        for (int how = 0; how < 4; ++how) {
          HttpPeer peer(server.address());
          peer.send(stage);
          if (how == 1) peer.reset();
          if (how == 2) peer.half_close();
          if (how == 3) {
            peer.half_close();
            peer.receive_all();
          }
        }
      }
    }
    HttpPeer last(server.address());
    expect_answer(last);
    last.close();
    const ServeReport report = server.stop(Io::now() + 60s);
    EXPECT_EQ(report.unfinished_connections, 0U);
    EXPECT_EQ(report.counts.in_flight(), 0U);
  }
  EXPECT_EQ(open_descriptors(), before);
}

INSTANTIATE_TEST_SUITE_P(, LeavingPeers,
                         ::testing::Values("thread_per_request", "fixed_pool", "event_loop",
                                           "io_uring", "work_stealing"),
                         [](const auto& info) { return info.param; });

class ParkedConnections : public ::testing::TestWithParam<std::string> {};

TEST_P(ParkedConnections, LeaveTheThreadsToOthers) {
  constexpr int kPeers = 20;
  const std::size_t before = open_descriptors();
  {
    ServeSettings s = settings_of(GetParam());
    s.keep_alive = KeepAlive::park;
    Server server(s);
    std::vector<std::unique_ptr<HttpPeer>> peers;
    for (int i = 0; i < kPeers; ++i) {
      peers.push_back(std::make_unique<HttpPeer>(server.address()));
      expect_answer(*peers.back());
    }
    for (int round = 0; round < 3; ++round) {
      for (const auto& peer : peers) expect_answer(*peer);
    }
    peers.resize(kPeers / 2);
    const ServeReport report = server.stop(Io::now() + 60s);
    EXPECT_EQ(report.counts.answered(), std::uint64_t{kPeers * 4});
    EXPECT_EQ(report.accepted, std::uint64_t{kPeers});
    EXPECT_EQ(report.unfinished_connections, 0U);
    for (const auto& peer : peers) EXPECT_EQ(peer->receive_all(), "");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(ParkedConnections, AreClosedWhenTheServerIsCutShort) {
  const std::size_t before = open_descriptors();
  {
    ServeSettings s = settings_of(GetParam());
    s.keep_alive = KeepAlive::park;
    Server server(s);
    HttpPeer peer(server.address());
    expect_answer(peer);
    server.stop(Io::now());
    EXPECT_EQ(peer.receive_all(), "");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(ParkedConnections, HaveTheTimeoutsOfIdleOnes) {
  ServeSettings s = settings_of(GetParam());
  s.keep_alive = KeepAlive::park;
  s.timeouts.idle = 100ms;
  Server server(s);
  HttpPeer peer(server.address());
  expect_answer(peer);
  EXPECT_EQ(peer.receive_all(), "");
}

INSTANTIATE_TEST_SUITE_P(, ParkedConnections,
                         ::testing::Values("fixed_pool:threads=2", "thread_per_request",
                                           "work_stealing", "work_stealing:io=block"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == ':' || c == '=' ? '_' : c;
                           return name;
                         });

class ReusedPort : public ::testing::TestWithParam<std::string> {};

TEST_P(ReusedPort, LetsEachExecutorAcceptItsOwn) {
  if (const auto reason = model_named(GetParam()).unavailable()) GTEST_SKIP() << *reason;
  const std::size_t before = open_descriptors();
  {
    ServeSettings s = settings_of(GetParam());
    s.placement = Placement::reuseport;
    Server server(s);
    std::vector<std::unique_ptr<HttpPeer>> peers;
    for (int i = 0; i < 60; ++i) {
      peers.push_back(std::make_unique<HttpPeer>(server.address()));
      expect_answer(*peers.back());
    }
    for (const auto& peer : peers) expect_answer(*peer);
    const ServeReport report = server.stop(Io::now() + 60s);
    EXPECT_EQ(report.accepted, 60U);
    EXPECT_EQ(report.unfinished_connections, 0U);
    for (const ServeReport::Share& share : report.executors) {
      EXPECT_EQ(share.requests, 2 * share.connections);
      EXPECT_GT(share.connections, 0U) << "of 60 connections, chosen by a hash";
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

INSTANTIATE_TEST_SUITE_P(, ReusedPort, ::testing::Values("event_loop", "io_uring"),
                         [](const auto& info) { return info.param; });

TEST(Server, RefusesPlacementsThatAModelHasNot) {
  ServeSettings s = settings_of("fixed_pool:threads=1");
  s.placement = Placement::reuseport;
  EXPECT_THROW(Server{s}, UsageError);
  s = settings_of("event_loop");
  s.keep_alive = KeepAlive::park;
  EXPECT_THROW(Server{s}, UsageError);
}

}  // namespace
}  // namespace precipice::serve
