#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/random.hpp"
#include "tests/support/plain_io.hpp"
#include "tests/support/stepped_io.hpp"
#include "workloads/draws.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;
using testing::Crowd;
using testing::make_workload;
using testing::request_of;
using testing::requests_from;
using testing::SteppedIo;

std::unique_ptr<Workload> pipeline(const std::map<std::string, std::string>& given,
                                   bool tabulating = false) {
  auto workload = make_workload("pipeline", given);
  WorkloadSetup setup;
  setup.tabulating = tabulating;
  workload->prepare(setup);
  return workload;
}

void expect_exactly(const SteppedIo::Asked& asked, Nanos duration) {
  EXPECT_LE(asked.least, duration);
  EXPECT_GE(asked.most, duration);
}

TEST(Pipeline, PassesEveryStageInTurn) {
  using enum IoOp::Kind;
  const auto workload = pipeline({{"stages", "2"}, {"wait", "3ms"}, {"work", "10us"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  crowd.begin(request_of(1));
  EXPECT_EQ(io.kinds, (std::vector{acquire, sleep}));
  io.end();
  EXPECT_EQ(io.kinds, (std::vector{acquire, sleep, compute, acquire, sleep}));
  io.end();
  EXPECT_TRUE(crowd[0].outcome().succeeded());
  for (const SteppedIo::Asked& asked : io.asked) expect_exactly(asked, 3ms);
  EXPECT_EQ(workload->nominal_service(), 6020us);
  EXPECT_EQ(workload->nominal_cpu(), 20us);
}

TEST(Pipeline, TheDigestIsThatOfTheSeedAloneAndInABatchAndTabulated) {
  const std::map<std::string, std::string> given = {
      {"work", "3us"}, {"wait", "1ms"}, {"dist", "exponential"}, {"linger", "1ms"}};
  const auto tabulated = pipeline(given, true);
  const auto measured = pipeline(given);
  SteppedIo io, quick;
  io.at_once = quick.at_once = true;
  Crowd crowd(*measured, io), table(*tabulated, quick);
  const testing::Begun& batch = crowd.begin_batch(requests_from(0, 50));
  std::set<std::uint64_t> digests;
  for (std::uint64_t id = 0; id < 50; ++id) {
    ASSERT_TRUE(batch.outcome(id).succeeded());
    const std::uint64_t digest = table.begin(request_of(id)).outcome().digest;
    EXPECT_EQ(batch.outcome(id).digest, digest);
    EXPECT_EQ(crowd.begin(request_of(id, 2)).outcome().digest, digest);
    digests.insert(digest);
  }
  EXPECT_EQ(digests.size(), 50U);
  for (const SteppedIo::Asked& asked : quick.asked) EXPECT_LE(asked.least, 0ms);
}

TEST(Pipeline, ALoneRequestLingersAtEveryStage) {
  const auto workload = pipeline({{"linger", "50ms"}, {"wait", "0"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  crowd.begin(request_of(0));
  ASSERT_EQ(io.asked.size(), 5U);
  for (const SteppedIo::Asked& asked : io.asked) expect_exactly(asked, 50ms);
  EXPECT_EQ(workload->nominal_service(), 250ms);
}

TEST(Pipeline, WhatComesWhileOthersLingerGoesOnWithThem) {
  const auto workload = pipeline({{"linger", "1m"}, {"stages", "2"}, {"wait", "0"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  for (std::uint64_t id = 0; id < 3; ++id) crowd.begin(request_of(id));
  EXPECT_EQ(io.asked[1].until, io.asked[0].until);
  EXPECT_EQ(io.asked[2].until, io.asked[0].until);
  while (io.sleeping() > 0) io.end();
  EXPECT_EQ(crowd.ended(), 3U);
}

TEST(Pipeline, EachStagePassesOnAtTicksOfItsOwn) {
  constexpr Nanos kTick = 80ms;
  const auto workload = pipeline({{"tick", "80ms"}, {"wait", "0"}, {"servers", "0"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  for (std::uint64_t id = 0; id < 20; ++id) crowd.begin(request_of(id));
  ASSERT_EQ(io.asked.size(), 100U);
  for (std::size_t i = 0; i < io.asked.size(); ++i) {
    // From stage to stage an eighth, three, five and seven eighths of a tick, which come to two.
    constexpr std::int64_t kEighths[] = {0, 1, 4, 9, 16};
    const Nanos since = io.asked[i].until.time_since_epoch() - kEighths[i % 5] * kTick / 8;
    EXPECT_EQ(since % kTick, 0ns);
    EXPECT_GE(io.asked[i].most, 0ms);
    EXPECT_LT(io.asked[i].least, kTick);
  }
  EXPECT_EQ(workload->nominal_service(), 200ms);
}

TEST(Pipeline, EveryStageDrawsItsOwnServiceWithTheMeanNamed) {
  const auto workload = pipeline({{"stages", "3"}, {"wait", "1s"}, {"dist", "exponential"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  double sum = 0, product = 0;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
    crowd.begin(request_of(seed));
    const SteppedIo::Asked* asked = &io.asked[3 * seed];
    Nanos least{0}, most{0};
    for (int stage = 0; stage < 3; ++stage) {
      least += asked[stage].least;
      most += asked[stage].most;
    }
    EXPECT_LE(least, workload->nominal_draw(seed));
    EXPECT_GE(most, workload->nominal_draw(seed));
    sum += seconds(workload->nominal_draw(seed));
    product += (seconds(asked[0].least) - 1) * (seconds(asked[1].least) - 1);
  }
  EXPECT_NEAR(sum / kTabulatedSeeds, 3, 1e-6);
  EXPECT_NEAR(product / kTabulatedSeeds, 0, 0.1);  // 1 if both stages drew the same
}

TEST(Pipeline, AFurtherAttemptDrawsItsWaitsAnew) {
  const auto workload = pipeline({{"stages", "1"}, {"wait", "1s"}, {"dist", "exponential"}});
  SteppedIo io;
  io.at_once = true;
  Crowd crowd(*workload, io);
  crowd.begin(request_of(3));
  crowd.begin(request_of(3, 1));
  expect_exactly(io.asked[0], workload->nominal_draw(3));
  const std::uint64_t anew = wait_seed(request_of(3, 1));
  expect_exactly(io.asked[1], workload->nominal_draw(anew));
  EXPECT_NE(workload->nominal_draw(3), workload->nominal_draw(anew));
}

TEST(Pipeline, NoStageWorksOnMoreThanItsServersAtOnceAndNothingIsLost) {
  constexpr std::size_t kServers = 2, kStages = 3, kRequests = 300;
  const auto workload = pipeline({{"stages", "3"}, {"servers", "2"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  Random random(5);
  std::size_t begun = 0;
  while (crowd.ended() < kRequests) {
    if (begun < kRequests && (io.sleeping() == 0 || random.below(2) == 0)) {
      crowd.begin(request_of(begun++));
    } else {
      io.end(random.below(io.sleeping()), random.below(5) == 0 ? -ECANCELED : 0);
    }
    ASSERT_LE(io.sleeping(), kServers * kStages);
    const std::size_t open = begun - crowd.ended();
    ASSERT_GE(io.sleeping(), std::min(open, std::size_t{1}));
  }
  std::size_t failed = 0;
  for (std::size_t id = 0; id < kRequests; ++id) failed += crowd[id].outcome().error != 0 ? 1 : 0;
  EXPECT_GT(failed, kRequests / 4);
  EXPECT_LT(failed, kRequests * 3 / 4);
  // Every permit is back: as many as ever are served at once.
  for (std::size_t i = 0; i < 4; ++i) crowd.begin(request_of(kRequests + i));
  EXPECT_EQ(io.sleeping(), kServers);
  while (io.sleeping() > 0) io.end();
  EXPECT_EQ(crowd.ended(), kRequests + 4);
}

TEST(Pipeline, ACancelledBufferFailsTheRequest) {
  const auto workload = pipeline({{"tick", "1m"}, {"servers", "1"}});
  SteppedIo io;
  Crowd crowd(*workload, io);
  crowd.begin(request_of(0));
  io.end(0, -ECANCELED);
  EXPECT_EQ(crowd[0].outcome().error, ECANCELED);
}

TEST(Pipeline, ComplainsAboutTwoBuffersAndAboutNothingToDo) {
  try {
    make_workload("pipeline", {{"linger", "1ms"}, {"tick", "1ms"}});
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("either linger or tick"), std::string::npos);
  }
  EXPECT_THROW(make_workload("pipeline", {{"wait", "0"}}), UsageError);
}

TEST(Pipeline, AWrongValueNamesItsKey) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"stages", "0"},
                                                        {"stages", "101"},
                                                        {"servers", "-1"},
                                                        {"work", "2h"},
                                                        {"linger", "2h"},
                                                        {"tick", "2h"},
                                                        {"dist", "normal"}}) {
    try {
      make_workload("pipeline", {{key, value}});
      ADD_FAILURE() << key << "=" << value;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace precipice
