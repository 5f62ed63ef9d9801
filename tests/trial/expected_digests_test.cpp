#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/support/plain_io.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;

TEST(Tabulating, GivesTheDigestsOfRealRuns) {
  for (const auto& [name, given] :
       std::vector<std::pair<std::string, std::map<std::string, std::string>>>{
           {"empty", {}},
           {"cpu", {{"work", "5us"}, {"dist", "lognormal(1)"}}},
           {"sleep", {{"wait", "10us"}}},
           {"mixed", {{"work", "5us"}, {"wait", "5us"}}}}) {
    const auto workload = make_workload(name, given);
    PlainIo io;
    std::vector<std::uint64_t> table;
    workload->prepare({.tabulating = true});
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      table.push_back(run_request(*workload, io, seed).digest);
    }
    workload->prepare({});
    for (int repeat = 0; repeat < 2; ++repeat) {
      for (std::uint64_t seed = 0; seed < 100; ++seed) {
        EXPECT_EQ(run_request(*workload, io, seed).digest, table[seed]) << name;
      }
    }
  }
}

TEST(Tabulating, WaitsForNothingAndSkipsNoOperation) {
  for (const char* name : {"sleep", "mixed"}) {
    const auto workload = make_workload(name, {{"wait", "1m"}});
    workload->prepare({.tabulating = true});
    PlainIo io;
    EXPECT_TRUE(run_request(*workload, io, 3).succeeded());
    EXPECT_EQ(io.asked_sleep, Nanos(0));
    EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::sleep), 1);
  }
}

TEST(Tabulating, TakesNoTimeForLongWork) {
  const auto workload = make_workload("cpu", {{"work", "1m"}});
  workload->prepare({.tabulating = true});
  PlainIo io;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {  // 68 hours of work
    ASSERT_TRUE(run_request(*workload, io, seed).succeeded());
  }
}

}  // namespace
}  // namespace precipice
