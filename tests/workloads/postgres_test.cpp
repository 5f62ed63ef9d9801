// Prepared statements at a PostgreSQL server of the test's own. Skipped where a package is missing.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/plain_io.hpp"
#include "tests/support/started_server.hpp"
#include "workloads/server_programs.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;
using testing::StartedServer;

using Given = std::map<std::string, std::string>;

/// One server for all tests of a process, since making one takes seconds.
class PostgresWorkload : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { shared_.reset(); }

  void SetUp() override {
    if (const auto why = testing::missing_server("postgres")) GTEST_SKIP() << *why;
    if (!shared_) shared_ = std::make_unique<StartedServer>(Downstream::postgres);
  }

  std::unique_ptr<Workload> prepared(const Given& given, unsigned executors = 1) {
    auto workload = make_workload("postgres", given);
    workload->prepare(shared_->setup(executors));
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
  std::vector<Outcome> run_batch(Workload& workload, PlainIo& io, std::size_t count) {
    std::vector<Request> requests;
    for (std::uint64_t id = 0; id < count; ++id)
      requests.push_back({.id = id, .seed = static_cast<std::uint32_t>(id), .intended = Io::now()});
    std::vector<Outcome> outcomes(count, Outcome::needless());
    drive(&workload, &io, &requests, &outcomes).start(nullptr, nullptr);
    return outcomes;
  }
  /// What psql, the server's own client, answers.
  std::string ask(const std::string& sql) {
    const std::string command = *postgres_program_directory() + "/psql -XAtq -d \"" +
                                shared_->setup().conninfo + "\" -c \"" + sql + "\" 2>&1";
    std::string text;
    FILE* const out = ::popen(command.c_str(), "r");
    for (std::array<char, 256> line; std::fgets(line.data(), line.size(), out) != nullptr;)
      text += line.data();
    ::pclose(out);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

  static std::unique_ptr<StartedServer> shared_;

 private:
  static Task<void> drive(Workload* workload, Io* io, std::vector<Request>* requests,
                          std::vector<Outcome>* outcomes) {
    co_await workload->run_many(*io, *requests, *outcomes);
  }
};

std::unique_ptr<StartedServer> PostgresWorkload::shared_;

TEST_F(PostgresWorkload, SelectsTheRowsThatItMade) {
  const auto workload = prepared({{"op", "select"}, {"keys", "300"}});
  PlainIo io;
  const std::vector<std::uint64_t> first = digests(*workload, io, 300);
  EXPECT_EQ(digests(*workload, io, 300), first);
  EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::connect), 0);
  EXPECT_GE(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::readable), 300);
  EXPECT_EQ(ask("SELECT count(*), count(DISTINCT body) FROM precipice_rows_64_300"), "300|300");
}

TEST_F(PostgresWorkload, InsertsARowForEveryRequest) {
  const auto workload = prepared({{"op", "insert"}, {"keys", "300"}});
  PlainIo io;
  digests(*workload, io, 120);
  for (const Outcome& outcome : run_batch(*workload, io, 2000)) ASSERT_TRUE(outcome.succeeded());
  EXPECT_EQ(ask("SELECT count(*) FROM precipice_inserts"), "2120");
  // With the very rows that a SELECT finds under their keys.
  EXPECT_EQ(ask("SELECT count(*) FROM precipice_inserts i JOIN precipice_rows_64_300 r USING (key)"
                " WHERE i.body = r.body"),
            "2120");
}

TEST_F(PostgresWorkload, GivesABatchTheDigestsOfItsRequests) {
  for (const char* bytes : {"1", "64", "5000"}) {
    for (const char* op : {"select", "insert", "mixed"}) {
      const auto workload = prepared({{"op", op}, {"bytes", bytes}, {"keys", "500"}});
      PlainIo io;
      const std::vector<std::uint64_t> single = digests(*workload, io, 200);
      for (const std::size_t count : {2U, 63U, 65U, 200U}) {
        const std::vector<Outcome> batch = run_batch(*workload, io, count);
        for (std::size_t i = 0; i < batch.size(); ++i) {
          ASSERT_TRUE(batch[i].succeeded()) << std::strerror(batch[i].error);
          ASSERT_EQ(batch[i].digest, single[i]) << op << " " << bytes << " request " << i;
        }
      }
    }
  }
}

TEST_F(PostgresWorkload, FindsARowThatIsWrong) {
  const Given given{{"op", "select"}, {"keys", "1"}, {"bytes", "7"}};
  const auto workload = prepared(given);
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 3).digest;
  const std::string body = ask("SELECT body FROM precipice_rows_7_1");
  EXPECT_EQ(body.size(), 7U);
  ask("UPDATE precipice_rows_7_1 SET body = 'wrong'");
  EXPECT_NE(run_request(*workload, io, 3).digest, right);
  WorkloadSetup tabulating = shared_->setup();
  tabulating.tabulating = true;
  workload->prepare(tabulating);
  EXPECT_EQ(run_request(*workload, io, 3).error, EBADMSG);
  ask("DELETE FROM precipice_rows_7_1");
  EXPECT_EQ(run_request(*workload, io, 3).error, ENOENT);
  ask("INSERT INTO precipice_rows_7_1 VALUES (0, '" + body + "')");
  EXPECT_EQ(run_request(*prepared(given), io, 3).digest, right);
}

TEST_F(PostgresWorkload, AStatementThatTheServerRefusesFailsAndItsConnectionIsClosed) {
  const auto workload = prepared({{"op", "insert"}, {"keys", "3"}, {"connections", "1"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 3).digest;
  ask("ALTER TABLE precipice_inserts ADD CONSTRAINT never CHECK (key < 0) NOT VALID");
  EXPECT_EQ(run_request(*workload, io, 3).error, EREMOTEIO);
  for (const Outcome& outcome : run_batch(*workload, io, 10)) EXPECT_EQ(outcome.error, EREMOTEIO);
  ask("ALTER TABLE precipice_inserts DROP CONSTRAINT never");
  EXPECT_EQ(run_request(*workload, io, 3).digest, right);
}

TEST_F(PostgresWorkload, AFailedWaitClosesItsConnectionAndFreesItsPlace) {
  const auto workload = prepared({{"op", "select"}, {"connections", "1"}});
  PlainIo io;
  const std::uint64_t right = run_request(*workload, io, 5).digest;
  io.fail_kind = IoOp::Kind::readable;  // for the row
  io.fail_error = EIO;
  EXPECT_EQ(run_request(*workload, io, 5).error, EIO);
  io.fail_kind = IoOp::Kind::writable;  // for the connection in place of the one that was closed
  io.fail_error = EIO;
  EXPECT_EQ(run_request(*workload, io, 5).error, EIO);
  EXPECT_EQ(io.fail_error, 0);
  EXPECT_EQ(run_request(*workload, io, 5).digest, right);
}

TEST_F(PostgresWorkload, OpensNoConnectionForRequestsThatAreGivenUp) {
  const auto workload = prepared({{"op", "select"}, {"connections", "1"}});
  PlainIo io;
  io.fail_kind = IoOp::Kind::readable;  // for the row
  io.fail_error = ECANCELED;
  EXPECT_EQ(run_request(*workload, io, 5).error, ECANCELED);
  io.fail_kind = IoOp::Kind::writable;  // for the connection
  io.fail_error = ECANCELED;
  EXPECT_EQ(run_request(*workload, io, 5).error, ECANCELED);
  EXPECT_EQ(io.fail_error, 0);
  // The operations of this Io would succeed again: none is begun.
  EXPECT_EQ(run_request(*workload, io, 5).error, ECANCELED);
}

TEST_F(PostgresWorkload, OpensItsConnectionsBeforeTheFirstRequest) {
  const auto workload = make_workload("postgres", {{"connections", "7"}});
  WorkloadSetup setup = shared_->setup();
  setup.concurrency = 0;
  setup.rate_per_s = 100;
  workload->prepare(setup);
  EXPECT_EQ(ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'precipice'"), "7");
  PlainIo io;
  EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
  EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::writable), 0);
}

TEST_F(PostgresWorkload, NamesTheServersVersionAndItsConnections) {
  const auto workload = prepared({{"connections", "5"}}, 2);
  EXPECT_TRUE(workload->note().starts_with("PostgreSQL ")) << workload->note();
  EXPECT_TRUE(workload->note().ends_with(", connections=6")) << workload->note();
}

TEST_F(PostgresWorkload, AServerThatDiesEndsAsFailedOutcomes) {
  StartedServer own(Downstream::postgres);
  const auto workload = make_workload("postgres", {{"op", "mixed"}, {"connections", "2"}});
  workload->prepare(own.setup());
  PlainIo io;
  EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
  own.kill();
  // The processes behind connections end a little later than their parent.
  while (run_request(*workload, io, 1).succeeded())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(run_request(*workload, io, 1).error, ECONNREFUSED);
  for (const Outcome& outcome : run_batch(*workload, io, 20)) EXPECT_FALSE(outcome.succeeded());
  EXPECT_THROW(workload->prepare(own.setup()), Unavailable);
}

TEST(PostgresOptions, AreCheckedWithOrWithoutLibpq) {
  for (const char* server : {"10.0.0.1:5432", "localhost:5432", "127.0.0.1"})
    EXPECT_THROW(make_workload("postgres", {{"server", server}}), UsageError) << server;
  EXPECT_THROW(make_workload("postgres", {{"op", "update"}}), UsageError);
  EXPECT_THROW(make_workload("postgres", {{"keys", "0"}}), UsageError);
  EXPECT_EQ(make_workload("postgres", {{"server", "127.0.0.1:5432"}})->downstream(),
            Downstream::none);
  EXPECT_THROW(make_workload("postgres", {})->prepare({}), Unavailable);
}

}  // namespace
}  // namespace precipice
