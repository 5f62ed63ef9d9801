#include "harness/host/proc_stat.hpp"

#include <gtest/gtest.h>

namespace precipice {
namespace {

TEST(ProcStat, ReadsBusyAndStolenTicksByCpu) {
  const auto ticks = parse_proc_stat(
      "cpu  30 6 12 100 5 7 8 9 0 0\n"
      "cpu0 10 1 4 50 5 7 8 3 0 0\n"
      "cpu12 20 5 8 50 0 0 0 6 1 1\n"
      "intr 63249032 0 0\n");
  ASSERT_EQ(ticks.size(), 2U);
  EXPECT_EQ(ticks.at(0).busy, 15);
  EXPECT_EQ(ticks.at(0).steal, 3);
  EXPECT_EQ(ticks.at(0).all, 88);
  EXPECT_EQ(ticks.at(12).busy, 33);
  EXPECT_EQ(ticks.at(12).steal, 6);
  EXPECT_TRUE(parse_proc_stat("").empty());
  EXPECT_TRUE(parse_proc_stat("cpu0 1 2 3").empty());  // a kernel without steal
  EXPECT_TRUE(parse_proc_stat("cpux 1 2 3 4 5 6 7 8\n").empty());
}

TEST(ProcStat, ReadsRunAndWaitingTimeOfAThread) {
  EXPECT_EQ(parse_schedstat("12 345 6\n")->ran_ns, 12);
  EXPECT_EQ(parse_schedstat("12 345 6\n")->waited_ns, 345);
  EXPECT_FALSE(parse_schedstat("").has_value());
  EXPECT_FALSE(parse_schedstat("12").has_value());
}

}  // namespace
}  // namespace precipice
