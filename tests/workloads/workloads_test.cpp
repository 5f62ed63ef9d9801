#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/plain_io.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;

TEST(Workloads, AreRegisteredUnderTheirNames) {
  std::vector<std::string_view> names;
  for (const WorkloadInfo& info : workloads()) names.push_back(info.name);
  EXPECT_EQ(names,
            (std::vector<std::string_view>{"cpu", "sleep", "file", "rpc", "redis", "postgres",
                                           "mixed", "service", "pipeline", "empty"}));
}

TEST(Workloads, AnUnknownNameGetsTheNearestOne) {
  try {
    workload_named("slep");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'sleep'"), std::string::npos);
  }
}

TEST(Workloads, AWrongValueNamesItsKey) {
  for (const auto& [name, key, value] :
       std::vector<std::array<std::string, 3>>{{"cpu", "work", "0us"},
                                               {"cpu", "work", "2h"},
                                               {"cpu", "dist", "normal"},
                                               {"sleep", "wait", "0s"},
                                               {"file", "block", "5000"},
                                               {"file", "block", "0"},
                                               {"file", "size", "1KiB"},
                                               {"file", "direct", "perhaps"},
                                               {"rpc", "bytes", "63"},
                                               {"rpc", "bytes", "2MiB"},
                                               {"rpc", "connections", "-1"},
                                               {"mixed", "io_share", "1.5"},
                                               {"mixed", "waits", "0"},
                                               {"mixed", "wait_dist", "normal"},
                                               {"mixed", "dist", "pareto(1)"}}) {
    try {
      make_workload(name, {{key, value}});
      ADD_FAILURE() << name << ":" << key << "=" << value;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

TEST(Sleep, ACancelledWaitFails) {
  const auto workload = make_workload("sleep", {});
  workload->prepare({});
  PlainIo io;
  io.fail_kind = IoOp::Kind::sleep;
  io.fail_error = ECANCELED;
  EXPECT_EQ(run_request(*workload, io, 1).error, ECANCELED);
}

TEST(Mixed, ComputesWaitsComputes) {
  using enum IoOp::Kind;
  const auto workload = make_workload("mixed", {{"work", "10us"}, {"wait", "30us"}});
  workload->prepare({});
  PlainIo io;
  EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
  EXPECT_EQ(io.kinds, (std::vector{compute, sleep, compute}));
  EXPECT_EQ(workload->nominal_cpu(), std::chrono::microseconds(10));
  EXPECT_EQ(workload->nominal_service(), std::chrono::microseconds(40));
}

TEST(Mixed, WaitsOneAfterTheOtherEachWithADrawOfItsOwn) {
  using enum IoOp::Kind;
  const auto workload = make_workload(
      "mixed",
      {{"work", "30us"}, {"wait", "10us"}, {"waits", "2"}, {"wait_dist", "bimodal(0.5,1,3)"}});
  workload->prepare({});
  PlainIo io;
  EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
  EXPECT_EQ(io.kinds, (std::vector{compute, sleep, compute, sleep, compute}));
  EXPECT_EQ(workload->nominal_service(), std::chrono::microseconds(50));
  // The work is fixed, and each wait is 5 or 15 us: half of the requests have one of each.
  Nanos sum{0};
  std::map<std::int64_t, int> times;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
    const Nanos draw = workload->nominal_draw(seed);
    sum += draw;
    ++times[draw.count()];
  }
  EXPECT_EQ(sum / kTabulatedSeeds, std::chrono::microseconds(50));
  EXPECT_EQ(times.size(), 3U);
  EXPECT_NEAR(times[50'000], kTabulatedSeeds / 2, kTabulatedSeeds / 20);
}

TEST(Mixed, IoShareDividesTheTotalAnew) {
  using enum IoOp::Kind;
  const auto parts = [](const char* share) {
    const auto workload =
        make_workload("mixed", {{"work", "10us"}, {"wait", "30us"}, {"io_share", share}});
    workload->prepare({});
    PlainIo io;
    EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
    EXPECT_EQ(workload->nominal_service(), std::chrono::microseconds(40));
    return std::pair(io.kinds, workload->nominal_cpu());
  };
  EXPECT_EQ(parts("0"), std::pair(std::vector{compute, compute}, Nanos(40'000)));
  EXPECT_EQ(parts("0.5"), std::pair(std::vector{compute, sleep, compute}, Nanos(20'000)));
  EXPECT_EQ(parts("1"), std::pair(std::vector{sleep}, Nanos(0)));
}

}  // namespace
}  // namespace precipice
