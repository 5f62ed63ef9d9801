#include "harness/host/throttling.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace precipice {
namespace {

TEST(Throttling, ReadsTheCountOfBothVersions) {
  EXPECT_EQ(throttled_periods_in("nr_periods 9\nnr_throttled 4\nthrottled_time 12\n"), 4U);
  EXPECT_EQ(throttled_periods_in("usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 1\n"
                                 "nr_throttled 17\nthrottled_usec 99\nnr_bursts 0\n"),
            17U);
  EXPECT_EQ(throttled_periods_in("usage_usec 5\nuser_usec 3\nsystem_usec 2\n"), 0U);
  EXPECT_EQ(throttled_periods_in("nr_throttled 3"), 3U);
  EXPECT_EQ(throttled_periods_in("nr_throttled many\n"), 0U);
  EXPECT_EQ(throttled_periods_in(""), 0U);
}

TEST(Throttling, LooksAtTheProcesssCgroupAndAllAboveIt) {
  using Paths = std::vector<std::vector<std::string>>;
  EXPECT_EQ(
      cpu_stat_paths("0::/user.slice/bench\n"),
      (Paths{{"/sys/fs/cgroup/user.slice/bench/cpu.stat",
              "/sys/fs/cgroup/unified/user.slice/bench/cpu.stat"},
             {"/sys/fs/cgroup/user.slice/cpu.stat", "/sys/fs/cgroup/unified/user.slice/cpu.stat"},
             {"/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/unified/cpu.stat"}}));
  EXPECT_EQ(cpu_stat_paths("7:memory:/a\n4:cpu,cpuacct:/a\n3:cpuset:/b\n2:cpuacct:/c\n"),
            (Paths{{"/sys/fs/cgroup/cpu,cpuacct/a/cpu.stat", "/sys/fs/cgroup/cpu/a/cpu.stat"},
                   {"/sys/fs/cgroup/cpu,cpuacct/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat"}}));
  EXPECT_TRUE(cpu_stat_paths("").empty());
  EXPECT_TRUE(cpu_stat_paths("0::/../other\n").empty()) << "what is visible is not above it";
  EXPECT_TRUE(cpu_stat_paths("nonsense\n1:cpu\n").empty());
}

}  // namespace
}  // namespace precipice
