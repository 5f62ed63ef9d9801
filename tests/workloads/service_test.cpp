#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/random.hpp"
#include "tests/support/async_models.hpp"
#include "tests/support/plain_io.hpp"
#include "tests/support/stepped_io.hpp"
#include "workloads/draws.hpp"

namespace precipice {

ModelInfo event_loop_model();
ModelInfo io_uring_model();

namespace {

using namespace std::chrono_literals;
using testing::AsyncBench;
using testing::AsyncVariant;
using testing::Crowd;
using testing::make_workload;
using testing::request_of;
using testing::requests_from;
using testing::SteppedIo;

std::unique_ptr<Workload> service(const std::map<std::string, std::string>& given) {
  auto workload = make_workload("service", given);
  workload->prepare({});
  return workload;
}

void expect_asked(const SteppedIo::Asked& asked, Nanos duration) {
  EXPECT_LE(asked.least, duration);
  EXPECT_GE(asked.most, duration);
}

TEST(Service, TakesOneServerAndOneWait) {
  using enum IoOp::Kind;
  const auto workload = service({{"wait", "3ms"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  crowd.begin(request_of(5));
  EXPECT_EQ(io.kinds, (std::vector{acquire, sleep}));
  expect_asked(io.asked[0], 3ms);
  EXPECT_EQ(crowd.ended(), 0U);
  io.end();
  EXPECT_TRUE(crowd[0].outcome().succeeded());
  EXPECT_EQ(workload->nominal_service(), 3ms);
  EXPECT_EQ(workload->nominal_cpu(), 0ms);
}

TEST(Service, ABatchPaysTheFixedPartOnceInOneWait) {
  using enum IoOp::Kind;
  const auto workload = service({{"fixed", "1ms"}, {"item", "20us"}, {"servers", "1"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  crowd.begin(request_of(0));
  io.end();
  crowd.begin_batch(requests_from(1, 16));
  EXPECT_EQ(io.kinds, (std::vector{acquire, sleep, acquire, sleep}));
  io.end();
  EXPECT_EQ(crowd.ended(), 2U);
  expect_asked(io.asked[0], 1020us);
  expect_asked(io.asked[1], 1320us);
  EXPECT_EQ(workload->nominal_service(), 1020us);
}

TEST(Service, ABatchSharesNothingWhereOnlyAWaitIsGiven) {
  const auto workload = service({{"wait", "1ms"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  crowd.begin_batch(requests_from(0, 7));
  io.end();
  expect_asked(io.asked[0], 7ms);
}

TEST(Service, AnEmptyBatchWaitsForNothing) {
  const auto workload = service({});
  SteppedIo io;
  Crowd crowd(*workload, io);
  EXPECT_TRUE(crowd.begin_batch({}).ended());
  EXPECT_TRUE(io.kinds.empty());
}

TEST(Service, ABatchIsScaledByADrawOfItsFirstRequest) {
  const auto workload =
      service({{"fixed", "2ms"}, {"item", "1ms"}, {"dist", "bimodal(0.5,1,9)"}, {"servers", "0"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  std::size_t shorter = 0;
  for (std::uint64_t first = 0; first < 400; first += 4) {
    crowd.begin_batch(requests_from(first, 4));
    // Of a mean of 6 ms: a fifth or nine fifths.
    const bool is_short = workload->nominal_draw(first) < 3ms;
    expect_asked(io.asked.back(), is_short ? Nanos(1'200'000) : Nanos(10'800'000));
    shorter += is_short ? 1 : 0;
  }
  EXPECT_GT(shorter, 20U);
  EXPECT_LT(shorter, 80U);
}

TEST(Service, TheDigestIsThatOfTheSeedAloneAndInABatchAndInEveryAttempt) {
  for (const bool tabulating : {true, false}) {
    const auto workload = make_workload(
        "service", {{"fixed", "1ms"}, {"item", "1ms"}, {"replicas", "3"}, {"dist", "exponential"}});
    WorkloadSetup setup;
    setup.tabulating = tabulating;
    workload->prepare(setup);
    SteppedIo io;
    io.at_once = true;
    Crowd crowd(*workload, io);
    const testing::Begun& batch = crowd.begin_batch(requests_from(0, 100));
    for (std::uint64_t id = 0; id < 100; ++id) {
      ASSERT_TRUE(batch.outcome(id).succeeded());
      EXPECT_EQ(batch.outcome(id).digest, mix64(id));
      EXPECT_EQ(crowd.begin(request_of(id)).outcome().digest, mix64(id));
      EXPECT_EQ(crowd.begin(request_of(id, 1)).outcome().digest, mix64(id));
    }
    for (const SteppedIo::Asked& asked : io.asked) {
      if (tabulating) expect_asked(asked, 0ms);
    }
  }
}

TEST(Service, ChoosesTheReplicaByIdAndAttempt) {
  const auto workload = service({{"replicas", "3"}, {"servers", "1"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  for (std::uint64_t id = 0; id < 6; ++id) crowd.begin(request_of(id));
  EXPECT_EQ(io.sleeping(), 3U);   // 3, 4 and 5 wait behind 0, 1 and 2
  crowd.begin(request_of(3, 1));  // behind 4, at replica 1
  io.end(1);                      // request 1: then 4 is served, of all that wait
  EXPECT_TRUE(crowd[1].ended());
  EXPECT_EQ(io.sleeping(), 3U);
  io.end(2);  // request 4: then the further attempt of 3
  EXPECT_TRUE(crowd[4].ended());
  io.end(2);
  EXPECT_TRUE(crowd[6].ended());
  EXPECT_FALSE(crowd[3].ended());
  EXPECT_EQ(io.sleeping(), 2U);  // replica 1 has nothing left to do
  io.end();                      // request 0
  io.end(1);                     // request 3
  EXPECT_TRUE(crowd[3].ended());
  while (io.sleeping() > 0) io.end();
}

TEST(Service, BatchesOfOneSizeMeetAllReplicasInTurn) {
  const auto workload = service({{"replicas", "4"}, {"servers", "1"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  for (std::uint64_t batch = 0; batch < 4; ++batch)
    crowd.begin_batch(requests_from(16 * batch, 16));
  EXPECT_EQ(io.sleeping(), 4U);
  crowd.begin_batch(requests_from(64, 16));
  EXPECT_EQ(io.sleeping(), 4U);
  while (io.sleeping() > 0) io.end();
  EXPECT_EQ(crowd.ended(), 5U);
}

TEST(Service, TheFirstReplicaIsTheSlowOne) {
  const auto workload = service({{"replicas", "4"}, {"slow", "10"}, {"wait", "1ms"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  for (std::uint64_t id = 0; id < 8; ++id) {
    crowd.begin(request_of(id));
    expect_asked(io.asked.back(), id % 4 == 0 ? 10ms : 1ms);
  }
  crowd.begin(request_of(0, 1));
  expect_asked(io.asked.back(), 1ms);
  EXPECT_EQ(workload->nominal_service(), 3250us);  // (3 + 10) / 4
}

TEST(Service, APolicyMayHaveChosenTheReplica) {
  const auto workload = service({{"replicas", "4"}, {"slow", "10"}, {"wait", "1ms"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  for (std::uint8_t replica = 1; replica <= 4; ++replica) {
    for (std::uint64_t id = 0; id < 3; ++id) {
      Request request = request_of(id);
      request.replica = replica;
      crowd.begin(request);
      expect_asked(io.asked.back(), replica == 1 ? 10ms : 1ms);
    }
  }
}

TEST(Service, AFurtherAttemptDrawsAnew) {
  const auto workload = service({{"dist", "exponential"}, {"wait", "1s"}, {"servers", "0"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  double product = 0;
  constexpr std::uint64_t kRequests = 2000;
  for (std::uint64_t id = 0; id < kRequests; ++id) {
    const Nanos first = workload->nominal_draw(id);
    const Nanos second = workload->nominal_draw(wait_seed(request_of(id, 1)));
    crowd.begin(request_of(id));
    expect_asked(io.asked.back(), first);
    crowd.begin(request_of(id, 1));
    expect_asked(io.asked.back(), second);
    product += (seconds(first) - 1) * (seconds(second) - 1);
  }
  // The covariance of independent draws with variance 1; of equal ones it is 1.
  EXPECT_NEAR(product / kRequests, 0, 0.2);
}

TEST(Service, TheMeanOverAllSeedsIsTheNominalService) {
  const auto workload =
      service({{"wait", "1ms"}, {"dist", "lognormal(2)"}, {"replicas", "2"}, {"slow", "3"}});
  double sum = 0;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed)
    sum += static_cast<double>(workload->nominal_draw(seed).count());
  EXPECT_NEAR(sum / static_cast<double>(kTabulatedSeeds), 2e6, 1);
  EXPECT_EQ(workload->nominal_service(), 2ms);
}

TEST(Service, AStallLengthensWhatItMeets) {
  const auto stalled = service({{"wait", "1ms"}, {"stall_at", "0"}, {"stall_for", "10s"}});
  const Request request = request_of(0);
  SteppedIo io;
  Crowd crowd(*stalled, io);
  crowd.begin(request);
  // The stall begins with the first arrival, and what has been served is lost time, not work.
  EXPECT_GE(io.asked[0].until, request.intended + 10s + 1ms);
  EXPECT_LE(io.asked[0].until - 10s - 1ms - request.intended, io.asked[0].most - io.asked[0].least);
  io.end();
  crowd.begin(request_of(1));
  EXPECT_LE(io.asked[1].until - 10s - 1ms - request.intended, io.asked[1].most - io.asked[1].least);
  io.end();

  const auto later = service({{"wait", "1ms"}, {"stall_at", "10m"}, {"stall_for", "10s"}});
  Crowd other(*later, io);
  other.begin(request_of(0));
  expect_asked(io.asked.back(), 1ms);
  io.end();
}

TEST(Service, NeverWorksOnMoreThanItsServersAtOnceAndLosesNothing) {
  constexpr std::size_t kServers = 3, kReplicas = 2, kRequests = 500;
  const auto workload = service({{"replicas", "2"}, {"servers", "3"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  Random random(7);
  std::size_t begun = 0, failed = 0;
  while (crowd.ended() < kRequests) {
    if (begun < kRequests && (io.sleeping() == 0 || random.below(2) == 0)) {
      crowd.begin(request_of(begun++));
    } else {
      // Every third is cancelled, and its server is free all the same.
      const bool cancelled = random.below(3) == 0;
      failed += cancelled ? 1 : 0;
      io.end(random.below(io.sleeping()), cancelled ? -ECANCELED : 0);
    }
    ASSERT_LE(io.sleeping(), kServers * kReplicas);
    std::size_t open[kReplicas] = {};
    for (std::size_t id = 0; id < begun; ++id) open[id % kReplicas] += crowd[id].ended() ? 0 : 1;
    ASSERT_EQ(io.sleeping(), std::min(open[0], kServers) + std::min(open[1], kServers));
  }
  std::size_t errors = 0;
  for (std::size_t id = 0; id < kRequests; ++id) {
    const Outcome& outcome = crowd[id].outcome();
    if (outcome.succeeded()) continue;
    EXPECT_EQ(outcome.error, ECANCELED);
    ++errors;
  }
  EXPECT_EQ(errors, failed);
  EXPECT_GT(failed, 50U);
}

TEST(Service, ACancelledBatchFailsWhole) {
  const auto workload = service({{"servers", "1"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  const testing::Begun& batch = crowd.begin_batch(requests_from(0, 3));
  crowd.begin(request_of(9));
  io.end(0, -ECANCELED);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(batch.outcome(i).error, ECANCELED);
  EXPECT_EQ(io.sleeping(), 1U);
  io.end();
}

TEST(Service, HasNoMoreServersForMoreExecutors) {
  const auto workload = make_workload("service", {{"servers", "1"}});
  WorkloadSetup setup;
  setup.executors = 2;
  workload->prepare(setup);
  SteppedIo first(0), second(1);
  Crowd here(*workload, first), there(*workload, second);
  here.begin(request_of(0));
  there.begin(request_of(1));
  EXPECT_EQ(first.sleeping() + second.sleeping(), 1U);
  first.end();
  EXPECT_EQ(second.sleeping(), 0U);  // woken through its own Io, and there it goes on
  second.settle();
  EXPECT_EQ(second.sleeping(), 1U);
  second.end();
  EXPECT_EQ(here.ended() + there.ended(), 2U);
  EXPECT_EQ(workload->note(), "servers=1 in all, common to all executors");
}

TEST(Service, ComplainsAboutBothWaysToNameAServiceTime) {
  for (const char* part : {"fixed", "item"}) {
    try {
      make_workload("service", {{"wait", "1ms"}, {part, "1ms"}});
      ADD_FAILURE() << part;
    } catch (const UsageError& error) {
      const std::string text = error.what();
      for (const char* key : {"wait", "fixed", "item"})
        EXPECT_NE(text.find(key), std::string::npos) << text;
    }
  }
}

TEST(Service, AWrongValueNamesItsKey) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"wait", "0"},
                                                        {"fixed", "0"},
                                                        {"item", "2h"},
                                                        {"replicas", "0"},
                                                        {"servers", "-1"},
                                                        {"slow", "0.5"},
                                                        {"dist", "normal"},
                                                        {"stall_for", "long"}}) {
    try {
      make_workload("service", {{key, value}});
      ADD_FAILURE() << key << "=" << value;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

/// Requests that share one server across the executors of a real model.
struct SharedService : AsyncBench {
  SharedService(const AsyncVariant& variant, const char* wait)
      : AsyncBench(variant, kRequests, &body),
        workload(make_workload("service", {{"wait", wait}, {"servers", "1"}})) {
    WorkloadSetup prepared;
    prepared.executors = model->executors(setup.cpus);
    workload->prepare(prepared);
  }

  static Task<void> body(void* context, Io& io, Request request) {
    auto& self = *static_cast<SharedService*>(static_cast<AsyncBench*>(context));
    const Outcome outcome = co_await self.workload->run(io, request);
    ++(outcome.succeeded() ? self.succeeded : self.failed);
    self.ended(request, outcome.succeeded() ? 0 : -outcome.error);
  }

  static constexpr std::size_t kRequests = 400;
  std::unique_ptr<Workload> workload;
  std::atomic<std::uint64_t> succeeded{0}, failed{0};
};

class ServiceAcrossExecutors : public testing::AsyncModels {};

TEST_P(ServiceAcrossExecutors, EndsEveryRequest) {
  SharedService bench(GetParam(), "20us");
  bench.start();
  bench.submit_all();
  bench.shutdown_drained();
  bench.expect_each_ended_once();
  EXPECT_EQ(bench.succeeded, SharedService::kRequests);
}

TEST_P(ServiceAcrossExecutors, ACancelledOneLetsAllOthersOut) {
  SharedService bench(GetParam(), "1m");
  bench.start();
  bench.submit_all();
  bench.shutdown_now();
  bench.expect_each_ended_once();
  EXPECT_EQ(bench.succeeded, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, ServiceAcrossExecutors,
                         ::testing::Values(AsyncVariant{"event_loop", &event_loop_model, {}},
                                           AsyncVariant{"io_uring", &io_uring_model, {}}),
                         [](const ::testing::TestParamInfo<AsyncVariant>& each) {
                           return std::string(each.param.name);
                         });

}  // namespace
}  // namespace precipice
