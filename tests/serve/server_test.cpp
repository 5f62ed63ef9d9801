// Servers on every model, asked over real sockets.
#include "harness/serve/server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/serve/listener.hpp"
#include "harness/trial/spec.hpp"
#include "models/model.hpp"
#include "models/random.hpp"
#include "tests/support/http_peer.hpp"

namespace precipice::serve {
namespace {

using namespace std::chrono_literals;
using testing::HttpPeer;

constexpr std::string_view kPlain = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPlainEnd = "\r\n\r\nHello, world!";
constexpr std::string_view kLast = "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string work_request(std::uint64_t seed) {
  return fmt::format("GET /work?seed={} HTTP/1.1\r\nHost: a\r\n\r\n", seed);
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class Servers : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const Spec model = parse_model(GetParam());
    if (const auto reason = model_named(model.name).unavailable()) GTEST_SKIP() << *reason;
  }

  static ServeSettings settings(const std::string& workload = "empty") {
    ServeSettings s;
    s.model = parse_model(GetParam());
    s.workload = parse_workload(workload);
    s.listen = parse_address("0");
    s.cpus = CpuSet::of_this_thread();
    s.connections = 512;
    return s;
  }
};

TEST_P(Servers, AnswerOnOneConnectionAgainAndAgain) {
  Server server(settings());
  HttpPeer peer(server.address());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer.send(kPlain));
    ASSERT_TRUE(peer.receive_until(kPlainEnd).starts_with("HTTP/1.1 200 OK\r\n"));
  }
  peer.close();
  const ServeReport report = server.stop(Io::now() + 10s);
  EXPECT_EQ(report.counts.answered(), 100U);
  EXPECT_EQ(report.accepted, 1U);
  EXPECT_EQ(report.unfinished_connections, 0U);
  EXPECT_EQ(report.counts.in_flight(), 0U);
}

TEST_P(Servers, AnswerWorkWithItsDigest) {
  Server server(settings("sleep:wait=200us"));
  HttpPeer peer(server.address());
  std::string requests, expected;
  for (std::uint64_t seed = 0; seed < 20; ++seed) requests += work_request(seed * 200);
  ASSERT_TRUE(peer.send(requests + std::string(kLast)));
  const std::string text = peer.receive_all();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    // sleep reads nothing: its digest is the seed's.
    EXPECT_NE(text.find(fmt::format("\r\n\r\n{:016x}\n", mix64(seed * 200))), std::string::npos);
  }
  EXPECT_EQ(server.stop(Io::now() + 10s).counts.answered(), 21U);
}

TEST_P(Servers, ServeManyConnectionsWithoutLosingAny) {
  constexpr int kPeers = 4, kConnections = 30, kRequests = 5;
  const std::size_t before = open_descriptors();
  {
    Server server(settings());
    std::vector<std::thread> peers;
    for (int i = 0; i < kPeers; ++i) {
      peers.emplace_back([&server] {
        for (int c = 0; c < kConnections; ++c) {
          HttpPeer peer(server.address());
          for (int r = 0; r < kRequests; ++r) {
            EXPECT_TRUE(peer.send(kPlain));
            EXPECT_TRUE(peer.receive_until(kPlainEnd).ends_with(kPlainEnd));
          }
          if (c % 3 == 0) peer.reset();
          if (c % 3 == 1) peer.half_close();
        }
      });
    }
    for (std::thread& peer : peers) peer.join();
    const ServeReport report = server.stop(Io::now() + 10s);
    EXPECT_EQ(report.counts.answered(), std::uint64_t{kPeers * kConnections * kRequests});
    EXPECT_EQ(report.accepted, std::uint64_t{kPeers * kConnections});
    EXPECT_EQ(report.unfinished_connections, 0U);
    std::uint64_t placed = 0;
    for (const ServeReport::Share& share : report.executors) placed += share.connections;
    EXPECT_EQ(placed, report.accepted);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(Servers, AnswerAPeerThatHasClosedItsSide) {
  Server server(settings());
  HttpPeer peer(server.address());
  ASSERT_TRUE(peer.send(std::string(kPlain) + std::string(kPlain)));
  peer.half_close();
  const std::string text = peer.receive_all();
  EXPECT_TRUE(text.ends_with(kPlainEnd));
  EXPECT_EQ(server.stop(Io::now() + 10s).counts.answered(), 2U);
}

TEST_P(Servers, SendALargeAnswerToAPeerThatReadsSlowly) {
  ServeSettings s = settings();
  s.limits.body.content_bytes = 8 << 20;
  Server server(s);
  HttpPeer peer(server.address());
  const std::string body(8 << 20, 'z');
  std::thread sender([&] {
    EXPECT_TRUE(
        peer.send(fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                              "Content-Length: {}\r\n\r\n",
                              body.size())));
    EXPECT_TRUE(peer.send(body));
  });
  sender.join();
  const std::string text = peer.receive_all();
  EXPECT_TRUE(text.ends_with("\r\n\r\n" + body));
}

TEST_P(Servers, AnswerRefusalsThatArriveWhole) {
  Server server(settings());
  HttpPeer peer(server.address());
  peer.send("GET / HTTP/1.1\r\n\r\n" + std::string(100'000, 'x'));
  const std::string text = peer.receive_all();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 400 Bad Request\r\n")) << text;
  EXPECT_NE(text.find("Host"), std::string::npos) << "the reason: " << text;
}

TEST_P(Servers, EndWhatIsLate) {
  ServeSettings s = settings();
  s.timeouts = {.idle = 100ms, .header = 100ms, .body = 100ms, .write = 100ms};
  Server server(s);
  HttpPeer idle(server.address()), head(server.address()), body(server.address());
  ASSERT_TRUE(head.send("GET /pl"));
  ASSERT_TRUE(body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc"));
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_TRUE(head.receive_all().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(body.receive_all().starts_with("HTTP/1.1 408 "));
  // One that reads nothing: what the kernel does not hold for it is never sent.
  HttpPeer deaf(server.address());
  const int small = 4096;
  ::setsockopt(deaf.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += kPlain;
  while (deaf.send(flood)) {
  }
  const ServeReport report = server.stop(Io::now() + 10s);
  EXPECT_EQ(report.unfinished_connections, 0U);
}

TEST_P(Servers, FinishWhatIsUnderWayBeforeTheyEnd) {
  Server server(settings("sleep:wait=300ms"));
  HttpPeer idle(server.address()), busy(server.address());
  ASSERT_TRUE(idle.send(kPlain));
  idle.receive_until(kPlainEnd);
  ASSERT_TRUE(busy.send(work_request(7)));
  while (server.report().counts.requests < 2) std::this_thread::sleep_for(1ms);
  const ServeReport report = server.stop(Io::now() + 60s);
  EXPECT_EQ(report.unfinished_connections, 0U);
  EXPECT_EQ(report.counts.answered(), 2U);
  const std::string text = busy.receive_all();
  EXPECT_TRUE(text.ends_with(fmt::format("\r\n\r\n{:016x}\n", mix64(7)))) << text;
  EXPECT_NE(text.find("Connection: close"), std::string::npos);
  EXPECT_EQ(idle.receive_all(), "");
}

TEST_P(Servers, ReportWhatTheyCouldNotFinish) {
  Server server(settings("sleep:wait=1m"));
  HttpPeer peer(server.address());
  ASSERT_TRUE(peer.send(work_request(7)));
  while (server.report().counts.requests < 1) std::this_thread::sleep_for(1ms);
  const ServeReport report = server.stop(Io::now());
  EXPECT_EQ(report.unfinished_requests, 1U);
  EXPECT_EQ(report.unfinished_connections, 1U);
  EXPECT_EQ(report.counts.abandoned, 1U);
  EXPECT_EQ(peer.receive_all(), "");
}

TEST_P(Servers, TurnAwayConnectionsPastTheirLimit) {
  ServeSettings s = settings();
  s.connections = 2;
  Server server(s);
  HttpPeer first(server.address()), second(server.address());
  for (HttpPeer* peer : {&first, &second}) {
    ASSERT_TRUE(peer->send(kPlain));
    peer->receive_until(kPlainEnd);
  }
  HttpPeer third(server.address());
  EXPECT_TRUE(third.receive_all().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  const ServeReport report = server.stop(Io::now() + 10s);
  EXPECT_EQ(report.refused_connections, 1U);
  EXPECT_EQ(report.accepted, 3U);
}

TEST_P(Servers, ShowTheirFigures) {
  Server server(settings());
  HttpPeer peer(server.address());
  ASSERT_TRUE(peer.send(std::string(kPlain) +
                        "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  const std::string text = peer.receive_all();
  for (const char* line :
       {"\nprecipice_requests_total 2\n", "\nprecipice_requests_in_flight 1\n",
        "\nprecipice_answers_total{status=\"200\"} 1\n", "\nprecipice_connections 1\n",
        "\nprecipice_response_seconds_bucket{le=\"+Inf\"} 1\n", "# TYPE precipice_model gauge\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

INSTANTIATE_TEST_SUITE_P(, Servers,
                         ::testing::Values("thread_per_request", "fixed_pool:threads=8",
                                           "event_loop", "event_loop:contexts=shared", "io_uring",
                                           "work_stealing", "work_stealing:io=block,threads=8"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) {
                                 return std::isalnum(static_cast<unsigned char>(c)) == 0;
                               },
                               '_');
                           return name;
                         });

TEST(Server, SaysWhyItCannotListen) {
  ServeSettings s;
  s.model = parse_model("fixed_pool:threads=1");
  s.workload = parse_workload("empty");
  s.listen = parse_address("127.0.0.1:0");
  s.cpus = CpuSet::of_this_thread();
  s.connections = 16;
  Server server(s);
  s.listen = server.address();
  try {
    Server second(s);
    ADD_FAILURE() << "two servers on one port";
  } catch (const Unavailable& error) {
    EXPECT_NE(std::string(error.what()).find("choose another port"), std::string::npos);
  }
}

TEST(Server, RefusesControlsAndAddressesThatAreNone) {
  ServeSettings s;
  s.model = parse_model("inline");
  s.workload = parse_workload("empty");
  s.listen = parse_address("0");
  s.cpus = CpuSet::of_this_thread();
  EXPECT_THROW(Server{s}, UsageError);
  for (const char* text : {"", "a:80", "127.0.0.1", "127.0.0.1:70000", "1.2.3.4:-1", "[::1]:80"})
    EXPECT_THROW(parse_address(text), UsageError) << text;
  EXPECT_EQ(to_string(parse_address("0.0.0.0:80")), "0.0.0.0:80");
  EXPECT_EQ(to_string(parse_address(":80")), "127.0.0.1:80");
}

}  // namespace
}  // namespace precipice::serve
