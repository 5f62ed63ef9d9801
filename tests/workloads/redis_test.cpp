// GET and SET at a Redis server of the test's own. Skipped where the package is missing.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/plain_io.hpp"
#include "tests/support/started_server.hpp"
#include "workloads/redis_protocol.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;
using testing::StartedServer;

using Given = std::map<std::string, std::string>;

class RedisWorkload : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = testing::missing_server("redis")) GTEST_SKIP() << *why;
    server_.emplace(Downstream::redis);
  }

  std::unique_ptr<Workload> prepared(const Given& given, unsigned executors = 1) {
    auto workload = make_workload("redis", given);
    workload->prepare(server_->setup(executors));
    return workload;
  }
  std::vector<std::uint64_t> digests(Workload& workload, PlainIo& io, std::uint64_t seeds) {
    std::vector<std::uint64_t> result;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const Outcome outcome = run_request(workload, io, seed);
      EXPECT_TRUE(outcome.succeeded()) << std::strerror(outcome.error);
      result.push_back(outcome.digest);
    }
    return result;
  }
  /// A command of the test's own; the beginning of its reply.
  std::string ask(std::initializer_list<std::string_view> words) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in peer = *server_->setup().backend;
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), 0);
    const std::string command = redis_command(words);
    EXPECT_EQ(::send(socket, command.data(), command.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(command.size()));
    std::string reply(4096, '\0');
    const ssize_t got = ::recv(socket, reply.data(), reply.size(), 0);
    ::close(socket);
    reply.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return reply;
  }
  std::vector<Outcome> run_batch(Workload& workload, PlainIo& io, std::uint64_t from,
                                 std::size_t count) {
    std::vector<Request> requests;
    for (std::uint64_t id = from; id < from + count; ++id)
      requests.push_back({.id = id, .seed = static_cast<std::uint32_t>(id), .intended = Io::now()});
    std::vector<Outcome> outcomes(count, Outcome::needless());
    drive(&workload, &io, &requests, &outcomes).start(nullptr, nullptr);
    return outcomes;
  }

  std::optional<StartedServer> server_;

 private:
  static Task<void> drive(Workload* workload, Io* io, std::vector<Request>* requests,
                          std::vector<Outcome>* outcomes) {
    co_await workload->run_many(*io, *requests, *outcomes);
  }
};

TEST_F(RedisWorkload, GivesTheSameDigestsHoweverBytesArrive) {
  for (const char* op : {"get", "set", "mixed"}) {
    const auto workload = prepared({{"op", op}, {"bytes", "300"}});
    PlainIo io;
    const std::vector<std::uint64_t> whole = digests(*workload, io, 40);
    EXPECT_EQ(digests(*workload, io, 40), whole);
    for (const std::size_t most : {1U, 7U, 299U}) {
      io.most_bytes = most;
      EXPECT_EQ(digests(*workload, io, 40), whole) << op << " by " << most;
    }
  }
}

TEST_F(RedisWorkload, GivesABatchTheDigestsOfItsRequests) {
  for (const char* bytes : {"1", "64", "9000"}) {  // one piece, several, one command a piece
    for (const char* op : {"get", "set", "mixed"}) {
      const auto workload = prepared({{"op", op}, {"bytes", bytes}});
      PlainIo io;
      const std::vector<std::uint64_t> single = digests(*workload, io, 600);
      for (const std::size_t most : {std::size_t{997}, std::size_t{1} << 30}) {
        io.most_bytes = most;
        const std::vector<Outcome> batch = run_batch(*workload, io, 0, 600);
        for (std::size_t i = 0; i < batch.size(); ++i) {
          ASSERT_TRUE(batch[i].succeeded());
          ASSERT_EQ(batch[i].digest, single[i]) << op << " " << bytes << " request " << i;
        }
      }
    }
  }
}

TEST_F(RedisWorkload, SendsABatchBeforeItReceives) {
  const auto workload = prepared({{"op", "get"}});
  PlainIo io;
  run_request(*workload, io, 0);
  io.kinds.clear();
  run_batch(*workload, io, 0, 100);
  EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::send), 1);
}

TEST_F(RedisWorkload, FindsAValueThatIsWrong) {
  const Given given{{"op", "get"}, {"keys", "1"}, {"bytes", "5"}};
  const auto workload = prepared(given);
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 3).digest;
  EXPECT_EQ(ask({"SET", "precipice:5:1:000000000000", "wrong"}), "+OK\r\n");
  EXPECT_NE(run_request(*workload, io, 3).digest, right);
  // A table of digests is not made of it.
  WorkloadSetup tabulating = server_->setup();
  tabulating.tabulating = true;
  workload->prepare(tabulating);
  EXPECT_EQ(run_request(*workload, io, 3).error, EBADMSG);
  EXPECT_EQ(ask({"DEL", "precipice:5:1:000000000000"}), ":1\r\n");
  EXPECT_EQ(run_request(*workload, io, 3).error, ENOENT);
  // What a SET writes is what a GET expects.
  EXPECT_TRUE(
      run_request(*prepared({{"op", "set"}, {"keys", "1"}, {"bytes", "5"}}), io, 3).succeeded());
  EXPECT_EQ(run_request(*prepared(given), io, 3).digest, right);
}

TEST_F(RedisWorkload, OneFlippedByteIsNoticed) {
  const auto workload = prepared({{"op", "get"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 9).digest;
  // Type, ends of lines, content. A length that is too long would be waited for, as by any client.
  for (const int at : {0, 3, 4, 5, 40, 68, 69, 70}) {
    io.flip_byte = at;
    const Outcome outcome = run_request(*workload, io, 9);
    EXPECT_TRUE(!outcome.succeeded() || outcome.digest != right) << "byte " << at;
    io.flip_byte = -1;
    EXPECT_EQ(run_request(*workload, io, 9).digest, right);
  }
}

TEST_F(RedisWorkload, CountsAnErrorOfTheServerAndGoesOn) {
  const auto workload = prepared({{"op", "get"}, {"keys", "1"}, {"bytes", "8"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 0).digest;
  ask({"DEL", "precipice:8:1:000000000000"});
  EXPECT_EQ(ask({"LPUSH", "precipice:8:1:000000000000", "x"}), ":1\r\n");
  io.kinds.clear();
  EXPECT_EQ(run_request(*workload, io, 0).error, EREMOTEIO);  // WRONGTYPE
  EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::connect), 0);
  ask({"DEL", "precipice:8:1:000000000000"});
  EXPECT_TRUE(
      run_request(*prepared({{"op", "set"}, {"keys", "1"}, {"bytes", "8"}}), io, 0).succeeded());
  EXPECT_EQ(run_request(*workload, io, 0).digest, right);
}

TEST_F(RedisWorkload, AFailedRequestClosesItsConnectionAndFreesItsPlace) {
  const auto workload = prepared({{"op", "get"}, {"connections", "1"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 5).digest;
  using enum IoOp::Kind;
  for (const IoOp::Kind kind : {send, recv}) {
    io.fail_kind = kind;
    io.fail_error = ECANCELED;
    io.kinds.clear();
    EXPECT_EQ(run_request(*workload, io, 5).error, ECANCELED);
    EXPECT_EQ(run_request(*workload, io, 5).digest, right);
    EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), connect), 1);
  }
}

TEST_F(RedisWorkload, AServerThatDiesEndsAsFailedOutcomes) {
  const auto workload = prepared({{"op", "get"}});
  PlainIo io;
  EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
  server_->kill();
  EXPECT_FALSE(run_request(*workload, io, 1).succeeded());
  EXPECT_EQ(run_request(*workload, io, 1).error, ECONNREFUSED);
  for (const Outcome& outcome : run_batch(*workload, io, 0, 20))
    EXPECT_EQ(outcome.error, ECONNREFUSED);
  EXPECT_THROW(workload->prepare(server_->setup()), Unavailable);
}

TEST_F(RedisWorkload, UsesAServerThatRunsAlready) {
  const sockaddr_in address = *server_->setup().backend;
  const auto workload =
      make_workload("redis", {{"server", "127.0.0.1:" + std::to_string(ntohs(address.sin_port))}});
  EXPECT_EQ(workload->downstream(), Downstream::none);
  workload->prepare({});
  PlainIo io;
  EXPECT_EQ(run_request(*workload, io, 7).digest, run_request(*prepared({}), io, 7).digest);
}

TEST_F(RedisWorkload, NamesTheServersVersionAndItsConnections) {
  const auto workload = prepared({{"connections", "5"}}, 2);
  EXPECT_TRUE(workload->note().starts_with("redis ")) << workload->note();
  EXPECT_TRUE(workload->note().ends_with(", connections=6")) << workload->note();
  EXPECT_EQ(workload->note().find("unknown"), std::string::npos);
}

TEST(RedisOptions, RefuseServersThatAreNotOnTheLoopback) {
  for (const char* server : {"10.0.0.1:6379", "example.com:6379", "127.0.0.1", "127.0.0.1:0",
                             "127.0.0.1:65536", "127.0.0.1:80x", ":6379"})
    EXPECT_THROW(make_workload("redis", {{"server", server}}), UsageError) << server;
  EXPECT_NO_THROW(make_workload("redis", {{"server", "127.1.2.3:6379"}}));
  EXPECT_THROW(make_workload("redis", {{"op", "incr"}}), UsageError);
  EXPECT_THROW(make_workload("redis", {{"bytes", "0"}}), UsageError);
  EXPECT_THROW(make_workload("redis", {})->prepare({}), Unavailable);
}

}  // namespace
}  // namespace precipice
