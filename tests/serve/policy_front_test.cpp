// Requests that reach their model through policies.
#include "harness/serve/policy_front.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/serve/listener.hpp"
#include "harness/serve/request_ids.hpp"
#include "harness/serve/server.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/spec.hpp"
#include "models/model.hpp"
#include "models/random.hpp"
#include "tests/support/http_peer.hpp"

namespace precipice::serve {
namespace {

using namespace std::chrono_literals;
using testing::HttpPeer;

ServeSettings settings_of(const std::string& model, const std::string& policies,
                          const std::string& workload) {
  ServeSettings s;
  s.model = parse_model(model);
  s.policies = parse_policies(policies);
  s.workload = parse_workload(workload);
  s.listen = parse_address("0");
  s.cpus = CpuSet::of_this_thread();
  s.connections = 64;
  return s;
}

std::string work_request(std::uint64_t seed, std::string_view fields = "") {
  return fmt::format("GET /work?seed={} HTTP/1.1\r\nHost: a\r\n{}\r\n", seed, fields);
}

class ThroughPolicies : public ::testing::TestWithParam<std::string> {};

TEST_P(ThroughPolicies, EveryRequestIsAnsweredOnce) {
  const std::string& policies = GetParam();
  for (const char* model :
       {"thread_per_request", "fixed_pool:threads=2", "event_loop", "io_uring", "work_stealing"}) {
    if (model_named(parse_model(model).name).unavailable()) continue;
    Server server(settings_of(model, policies, "sleep:wait=200us,dist=exponential"));
    std::vector<std::thread> peers;
    for (std::uint64_t p = 0; p < 4; ++p) {
      peers.emplace_back([&server, p] {
        HttpPeer peer(server.address());
        for (std::uint64_t seed = p; seed < 200; seed += 4) {
          ASSERT_TRUE(peer.send(work_request(seed)));
          EXPECT_TRUE(peer.receive_until("\n").ends_with("\n"));
        }
        EXPECT_TRUE(peer.send(work_request(9, "Connection: close\r\n")));
        EXPECT_TRUE(peer.receive_all().ends_with(fmt::format("\r\n\r\n{:016x}\n", mix64(9))));
      });
    }
    for (std::thread& peer : peers) peer.join();
    const ServeReport report = server.stop(Io::now() + 60s);
    EXPECT_EQ(report.counts.answered(), 204U) << model;
    EXPECT_EQ(report.counts.by_status[http::index_of(http::Status::ok)], 204U) << model;
    EXPECT_EQ(report.unfinished_connections, 0U) << model;
  }
}

INSTANTIATE_TEST_SUITE_P(, ThroughPolicies,
                         ::testing::Values("hedge:after=0s", "retry", "fan:out=3,need=2",
                                           "limit:limit=100|hedge:after=100us,tied=yes"),
                         [](const auto& info) { return "chain_" + std::to_string(info.index); });

TEST(PolicyFront, AnswersWhatIsShedWith503) {
  Server server(settings_of("event_loop", "limit:limit=1", "sleep:wait=100ms"));
  HttpPeer first(server.address()), second(server.address());
  ASSERT_TRUE(first.send(work_request(1)));
  while (server.report().counts.requests < 1) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(second.send(work_request(2) + work_request(3, "Connection: close\r\n")));
  const std::string text = second.receive_all();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << text;
  EXPECT_NE(text.find("shed: policy\n"), std::string::npos) << text;
  first.receive_until("\n");
  first.close();
  const ServeReport report = server.stop(Io::now() + 60s);
  EXPECT_EQ(report.counts.answered(), 3U);
  EXPECT_EQ(report.counts.by_status[http::index_of(http::Status::unavailable)], 2U);
}

TEST(PolicyFront, EndsWithRequestsUnderWay) {
  Server server(settings_of("fixed_pool:threads=2", "hedge:after=1ms", "sleep:wait=1m"));
  HttpPeer peer(server.address());
  ASSERT_TRUE(peer.send(work_request(1)));
  while (server.report().counts.requests < 1) std::this_thread::sleep_for(1ms);
  const ServeReport report = server.stop(Io::now());
  EXPECT_EQ(report.unfinished_requests, 1U);
}

TEST(PolicyFront, RefusesWhatNumbersRequestsAnewWithoutEnd) {
  EXPECT_THROW(Server(settings_of("event_loop", "batch", "empty")), UsageError);
  ServeSettings none = settings_of("event_loop", "limit", "empty");
  none.policies.clear();
  none.policy_requests = 10;
  EXPECT_THROW(Server{none}, UsageError);
}

TEST(PolicyFront, BatchesAsManyRequestsAsItHasPlacesFor) {
  constexpr std::uint32_t kPlaces = 60;
  ServeSettings settings = settings_of("event_loop", "batch:size=3,linger=1ms", "sleep:wait=100us");
  settings.policy_requests = kPlaces;
  Server server(settings);
  HttpPeer peer(server.address());
  std::uint32_t right = 0;
  for (std::uint64_t seed = 0; seed < kPlaces; ++seed) {
    ASSERT_TRUE(peer.send(work_request(seed)));
    if (peer.receive_until("\n").ends_with(fmt::format("{:016x}\n", mix64(seed)))) ++right;
  }
  EXPECT_EQ(right, kPlaces);
  ASSERT_TRUE(peer.send(work_request(1, "Connection: close\r\n")));
  EXPECT_TRUE(peer.receive_all().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  const ServeReport report = server.stop(Io::now() + 60s);
  ASSERT_TRUE(report.attempts);
  EXPECT_EQ(report.attempts->begun, report.attempts->ended());
  EXPECT_GE(report.attempts->won, kPlaces / 3);
  const Json json = to_json(report);
  EXPECT_EQ(json["attempts"]["begun"], report.attempts->begun);
}

TEST(RequestIds, AreUsedAgainWhenRequestAndAttemptsHaveEnded) {
  RequestIds ids(3, RequestIds::Reuse::when_unused);
  EXPECT_EQ(ids.take(), 0U);
  ids.attempt_begun(0);
  ids.attempt_begun(3);  // of another branch
  ids.ended(0);
  EXPECT_EQ(ids.take(), 1U);
  EXPECT_EQ(ids.take(), 2U);
  EXPECT_EQ(ids.take(), std::nullopt);
  ids.attempt_ended(3);
  EXPECT_EQ(ids.take(), std::nullopt);
  ids.attempt_ended(0);
  EXPECT_EQ(ids.take(), 0U);
  ids.ended(2);
  ids.attempt_begun(2);  // decided on just before the end
  ids.ended(0);
  EXPECT_EQ(ids.take(), 2U);
  ids.attempt_ended(2);
  EXPECT_EQ(ids.take(), 0U);
  EXPECT_EQ(ids.take(), std::nullopt) << "an id has been given away twice";
}

TEST(RequestIds, RunOutWhereTheyAreNotUsedAgain) {
  RequestIds ids(3, RequestIds::Reuse::never);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ids.take(), i);
    ids.attempt_begun(17);  // of a batch, which has numbers of its own
    ids.attempt_ended(17);
    ids.ended(i);
  }
  EXPECT_EQ(ids.take(), std::nullopt);
}

TEST(RequestIds, AreNeverInUseTwice) {
  constexpr int kThreads = 4, kRounds = 20'000;
  RequestIds ids(8, RequestIds::Reuse::when_unused);
  std::vector<std::atomic<int>> users(ids.count());
  std::vector<std::thread> threads;
  std::atomic<int> twice{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const auto id = ids.take();
        if (!id) continue;
        if (users[*id].fetch_add(1) != 0) ++twice;
        ids.attempt_begun(*id);
        ids.attempt_begun(*id);
        ids.attempt_ended(*id);
        users[*id].fetch_sub(1);
        ids.ended(*id);
        ids.attempt_ended(*id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(twice, 0);
  std::set<std::uint32_t> left;
  while (const auto id = ids.take()) left.insert(*id);
  EXPECT_EQ(left.size(), ids.count());
}

}  // namespace
}  // namespace precipice::serve
