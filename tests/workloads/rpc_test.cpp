#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <atomic>
#include <thread>

#include "tests/support/plain_io.hpp"
#include "tests/support/served_backend.hpp"
#include "workloads/connections.hpp"
#include "workloads/rpc_protocol.hpp"

namespace precipice {
namespace {

using testing::BackendArrangement;
using testing::make_workload;
using testing::PlainIo;
using testing::run_request;
using testing::ServedBackend;

class Rpc : public ::testing::TestWithParam<BackendArrangement> {
 protected:
  WorkloadSetup setup(unsigned executors = 1) {
    return {.executors = executors, .concurrency = executors, .backend = backend_.address()};
  }
  std::unique_ptr<Workload> prepared(const std::map<std::string, std::string>& given,
                                     unsigned executors = 1) {
    auto workload = make_workload("rpc", given);
    workload->prepare(setup(executors));
    return workload;
  }
  std::vector<std::uint64_t> tabulated(const std::map<std::string, std::string>& given,
                                       std::size_t seeds) {
    const auto workload = make_workload("rpc", given);
    WorkloadSetup quick = setup();
    quick.tabulating = true;
    workload->prepare(quick);
    PlainIo io;
    std::vector<std::uint64_t> digests;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const Outcome outcome = run_request(*workload, io, seed);
      EXPECT_TRUE(outcome.succeeded());
      digests.push_back(outcome.digest);
    }
    return digests;
  }
  void await_connections(std::uint64_t number) {
    while (backend_.report().connections != number) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  ServedBackend backend_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Backends, Rpc, ::testing::ValuesIn(testing::kBackendArrangements),
                         [](const auto& each) { return testing::name_of(each.param); });

TEST_P(Rpc, TwoHundredConnectionsGetTheTabulatedDigests) {
  constexpr unsigned kConnections = 200;
  constexpr std::uint64_t kEach = 20;
  const std::map<std::string, std::string> given{
      {"wait", "500us"}, {"dist", "exponential"}, {"connections", std::to_string(kConnections)}};
  const std::vector<std::uint64_t> table = tabulated(given, kConnections * kEach);
  await_connections(0);

  backend_.begin_interval();
  const auto workload = prepared(given, kConnections);
  std::atomic<std::uint64_t> right{0};
  std::vector<std::thread> threads;
  for (unsigned executor = 0; executor < kConnections; ++executor) {
    threads.emplace_back([&, executor] {
      PlainIo io(executor);
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t seed = executor * kEach + i;
        const Outcome outcome = run_request(*workload, io, seed);
        right += outcome.succeeded() && outcome.digest == table[seed];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kConnections * kEach);
  const BackendReport report = backend_.report();
  EXPECT_EQ(report.connections, kConnections);
  EXPECT_GE(report.lag_p99_ns, report.lag_p50_ns);
  EXPECT_GE(report.lag_max_ns, report.lag_p99_ns);
  EXPECT_GT(report.busy, 0);
  EXPECT_LE(report.busy, 1);

  workload->finish();
  await_connections(0);
}

TEST_P(Rpc, RequestsWaitForAConnectionWhenAllAreInUse) {
  const auto workload = prepared({{"wait", "200us"}, {"connections", "2"}});
  std::atomic<int> completed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      PlainIo io;
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        completed += run_request(*workload, io, seed).succeeded();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(completed, 160);
  const std::uint64_t connections = backend_.report().connections;
  EXPECT_GE(connections, 1U);
  EXPECT_LE(connections, 2U);
}

TEST_P(Rpc, AConnectionOfItsOwnForEachRequest) {
  const std::map<std::string, std::string> given{{"wait", "0s"}, {"connections", "per_request"}};
  const std::vector<std::uint64_t> table = tabulated(given, 8);
  await_connections(0);
  const auto workload = prepared(given);
  EXPECT_NE(workload->note().find("a connection per request"), std::string::npos);
  PlainIo io;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(run_request(*workload, io, seed).digest, table[seed]);
    await_connections(0);  // none is kept
  }
  EXPECT_THROW(make_workload("rpc", {{"connections", "per_day"}}), UsageError);
}

TEST_P(Rpc, ShortReceivesAndSendsAreContinued) {
  const std::map<std::string, std::string> given{{"wait", "0s"}, {"bytes", "1000"}};
  const std::vector<std::uint64_t> table = tabulated(given, 8);
  const auto workload = prepared(given);
  PlainIo io;
  for (const std::size_t most : {1U, 7U, 999U}) {
    io.most_bytes = most;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      EXPECT_EQ(run_request(*workload, io, seed).digest, table[seed]);
    }
  }
}

TEST_P(Rpc, LargeRepliesArriveWhole) {
  const std::map<std::string, std::string> given{{"wait", "0s"}, {"bytes", "1MiB"}};
  const std::vector<std::uint64_t> table = tabulated(given, 4);
  const auto workload = prepared(given);
  PlainIo io;
  io.most_bytes = 30'000;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    EXPECT_EQ(run_request(*workload, io, seed).digest, table[seed]);
  }
}

TEST_P(Rpc, ARequestInPiecesOfContentIsTheSame) {
  std::vector<std::byte> whole(1000), pieces(1000);
  fill_reply(3, 0, whole);
  for (std::size_t at = 0, step = 1; at < pieces.size(); at += step, step = step * 2 + 1) {
    step = std::min(step, pieces.size() - at);
    fill_reply(3, at, std::span(pieces).subspan(at, step));
  }
  EXPECT_EQ(whole, pieces);
}

TEST_P(Rpc, OneFlippedByteChangesTheDigest) {
  const auto workload = prepared({{"wait", "0s"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 9).digest;
  for (const int at : {0, 100, 255}) {
    io.flip_byte = at;
    EXPECT_NE(run_request(*workload, io, 9).digest, right);
  }
  EXPECT_EQ(run_request(*workload, io, 9).digest, right);
}

TEST_P(Rpc, AFailedRequestClosesItsConnectionAndFreesItsPlace) {
  const auto workload = prepared({{"wait", "0s"}, {"connections", "1"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 5).digest;
  using enum IoOp::Kind;
  for (const auto& [kind, error] :
       {std::pair(send, ECANCELED), std::pair(recv, ECANCELED), std::pair(connect, EMFILE)}) {
    io.fail_kind = kind;
    io.fail_error = error;
    io.kinds.clear();
    if (kind == connect) {  // needs a pool without an idle connection
      workload->finish();
      workload->prepare(setup());
    }
    EXPECT_EQ(run_request(*workload, io, 5).error, error);
    // The one place is free again, and whatever was left unread is not taken for the next reply.
    EXPECT_EQ(run_request(*workload, io, 5).digest, right);
    EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), connect), kind == connect ? 2 : 1);
  }
  io.no_memory = true;
  EXPECT_EQ(run_request(*workload, io, 5).error, ENOMEM);
  io.no_memory = false;
  EXPECT_EQ(run_request(*workload, io, 5).digest, right);
}

TEST_P(Rpc, ABackendThatDiesEndsAsFailedOutcomes) {
  constexpr unsigned kWaiting = 20;
  const auto workload = prepared({{"wait", "1m"}, {"connections", "20"}});
  std::atomic<unsigned> failed{0};
  std::vector<std::thread> threads;
  // Twice as many as there are connections: the second half waits at the gate.
  for (unsigned i = 0; i < 2 * kWaiting; ++i) {
    threads.emplace_back([&] {
      PlainIo io;
      failed += !run_request(*workload, io, 1).succeeded();
    });
  }
  await_connections(kWaiting);
  backend_.stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 2 * kWaiting);
  PlainIo io;
  EXPECT_EQ(run_request(*workload, io, 1).error, ECONNREFUSED);
}

TEST_P(Rpc, ConnectionsFollowTheLoad) {
  const auto workload = make_workload("rpc", {{"wait", "5ms"}});
  WorkloadSetup open = setup();
  open.concurrency = 0;
  open.rate_per_s = 10'000;
  workload->prepare(open);
  EXPECT_EQ(workload->note(), "connections=164");
  WorkloadSetup closed = setup();
  closed.concurrency = 48;
  workload->prepare(closed);
  EXPECT_EQ(workload->note(), "connections=48");
}

TEST_P(Rpc, TooManyConnectionsNameTheLimit) {
  const auto workload = make_workload("rpc", {{"connections", "1000000"}});
  try {
    workload->prepare(setup());
    FAIL();
  } catch (const Unavailable& error) {
    const std::string text = error.what();
    EXPECT_TRUE(text.find("ulimit") != std::string::npos ||
                text.find("ip_local_port_range") != std::string::npos)
        << text;
  }
  EXPECT_THROW(make_workload("rpc", {})->prepare({}), Unavailable);
}

TEST_P(Rpc, TheBackendDropsAClientThatBreaksTheProtocol) {
  RpcRequest too_large{.reply_bytes = kLargestReply + 1};
  RpcRequest not_ours{.magic = 1, .reply_bytes = 64};
  RpcRequest too_late{.reply_bytes = 64, .delay_ns = kLongestDelayNs + 1};
  for (const RpcRequest& request : {too_large, not_ours, too_late}) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = backend_.address();
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(send(fd, &request, sizeof request, MSG_NOSIGNAL),
              static_cast<ssize_t>(sizeof request));
    char byte;
    EXPECT_LE(recv(fd, &byte, 1, 0), 0);
    close(fd);
  }
  await_connections(0);
}

TEST_P(Rpc, TheBackendStartsItsFiguresAnew) {
  const auto workload = prepared({{"wait", "0s"}});
  PlainIo io;
  for (std::uint64_t seed = 0; seed < 50; ++seed) run_request(*workload, io, seed);
  while (backend_.report().requests < 50) std::this_thread::yield();
  EXPECT_EQ(backend_.report().requests, 50U);
  backend_.begin_interval();
  EXPECT_EQ(backend_.report().requests, 0U);
  EXPECT_EQ(backend_.report().lag_p99_ns, 0);
}

}  // namespace
}  // namespace precipice
