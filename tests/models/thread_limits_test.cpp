// Which limit stands in the way of one more thread, read from trees of files as kernels and
// container runtimes lay them out.
#include "models/thread_limits.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace precipice {
namespace {

namespace fs = std::filesystem;

class ThreadLimits : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / (std::string("precipice-limits-") + test->name());
    fs::remove_all(root_);
    sources_ = {.proc = root_ / "proc", .cgroup = root_ / "cgroup", .user = 1000};
    write("proc/loadavg", "0.10 0.20 0.30 2/500 12345\n");
    write("proc/sys/kernel/pid_max", "32768\n");
    write("proc/sys/kernel/threads-max", "100000\n");
    write("proc/sys/vm/max_map_count", "65530\n");
    maps(100);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void maps(int count) const {
    std::string text;
    for (int i = 0; i < count; ++i) text += "7f00-7f01 r--p 00000000 00:00 0\n";
    write("proc/self/maps", text);
  }
  void group(const std::string& path, const std::string& most, const std::string& used) const {
    write("cgroup/" + path + "/pids.max", most + "\n");
    write("cgroup/" + path + "/pids.current", used + "\n");
  }
  std::string hit() const { return limit_that_was_hit(sources_).name; }

  fs::path root_;
  ThreadLimitSources sources_;
};

TEST_F(ThreadLimits, NoneIsNamedWhileAllHaveRoom) {
  EXPECT_EQ(hit(), "memory") << "what is left when nothing else is used up";
  EXPECT_EQ(thread_limits(sources_).size(), 3U);
}

TEST_F(ThreadLimits, ThePidSpaceIsNamedWhenItsThreadsAreUsedUp) {
  write("proc/loadavg", "0.10 0.20 0.30 2/32760 12345\n");
  const ThreadLimit limit = limit_that_was_hit(sources_);
  EXPECT_EQ(limit.name, "pid_max");
  EXPECT_EQ(limit.used, 32760U);
  EXPECT_EQ(limit.limit, 32768U);
  EXPECT_NE(limit.cure.find("kernel.pid_max"), std::string::npos);
  write("proc/sys/kernel/pid_max", "4194304\n");
  write("proc/sys/kernel/threads-max", "32800\n");
  EXPECT_EQ(hit(), "threads_max");
}

TEST_F(ThreadLimits, MapsAreNamedWhenThereAreTooMany) {
  write("proc/sys/vm/max_map_count", "1000\n");
  maps(950);
  const ThreadLimit limit = limit_that_was_hit(sources_);
  EXPECT_EQ(limit.name, "max_map_count");
  EXPECT_EQ(limit.used, 950U);
  EXPECT_NE(limit.cure.find("vm.max_map_count"), std::string::npos);
}

TEST_F(ThreadLimits, ThreadsThatMapsAllowLeaveAReserve) {
  maps(530);
  EXPECT_EQ(threads_that_maps_allow(sources_), (65530U - 530 - 2048) / 2);
  write("proc/sys/vm/max_map_count", "1000\n");
  EXPECT_EQ(threads_that_maps_allow(sources_), 1U);
  fs::remove(root_ / "proc/sys/vm/max_map_count");
  EXPECT_EQ(threads_that_maps_allow(sources_), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(ThreadLimits, TheUsersOwnLimitCountsTheThreadsOfThatUserOnly) {
  write("proc/1/status", "Name:\tinit\nUid:\t0\t0\t0\t0\nThreads:\t5000\n");
  write("proc/20/status", "Name:\ta b\nUid:\t1000\t1000\t1000\t1000\nThreads:\t30\n");
  write("proc/21/status", "Name:\tc\nUid:\t1000\t1000\t1000\t1000\nThreads:\t9\n");
  EXPECT_EQ(hit(), "memory") << "no such limit applies";
  sources_.most_processes = 40;
  const ThreadLimit limit = limit_that_was_hit(sources_);
  EXPECT_EQ(limit.name, "rlimit_nproc");
  EXPECT_EQ(limit.used, 39U);
  EXPECT_EQ(limit.limit, 40U);
}

TEST_F(ThreadLimits, ThoseOfTheUserThatCannotBeSeenFromHereCountAgainstItsLimitToo) {
  write("proc/20/status", "Uid:\t1000\t1000\t1000\t1000\nThreads:\t3\n");
  sources_.most_processes = 40;
  EXPECT_EQ(hit(), "rlimit_nproc") << "some may be in another container";
  write("proc/loadavg", "0.10 0.20 0.30 2/32760 12345\n");
  EXPECT_EQ(hit(), "pid_max") << "what is seen to be used up comes first";
}

TEST_F(ThreadLimits, ASmallLimitIsNamedWhenItsLastThreadIsGone) {
  write("proc/20/status", "Uid:\t1000\t1000\t1000\t1000\nThreads:\t8\n");
  sources_.most_processes = 8;
  write("proc/sys/vm/max_map_count", "110\n");  // nearly used up, and not in the way
  maps(98);
  EXPECT_EQ(hit(), "rlimit_nproc");
}

TEST_F(ThreadLimits, AnAddressSpaceWithoutRoomForAStackIsNamed) {
  write("proc/self/status", "Name:\tx\nVmSize:\t  396000 kB\n");
  sources_.stack_bytes = 8 << 20;
  sources_.address_space = std::uint64_t{400'000} << 10;
  const ThreadLimit limit = limit_that_was_hit(sources_);
  EXPECT_EQ(limit.name, "rlimit_as");
  EXPECT_NE(limit.cure.find("ulimit -v"), std::string::npos);
  sources_.address_space = std::uint64_t{500'000} << 10;
  EXPECT_EQ(hit(), "memory") << "there is room for a dozen";
}

TEST(ProcessLimit, HoldsEverybodyBackButTheMachinesOwnSuperuser) {
  const std::string here = "         0          0 4294967295\n", elsewhere = "0 100000 65536\n";
  const std::string nothing = "CapEff:\t0000000000000000\n", all = "CapEff:\t000001ffffffffff\n";
  EXPECT_FALSE(bound_by_process_limit("Uid:\t0\t0\t0\t0\n" + nothing, here));
  EXPECT_FALSE(bound_by_process_limit("Uid:\t1000\t0\t0\t0\n" + all, here));
  EXPECT_TRUE(bound_by_process_limit("Uid:\t1000\t1000\t0\t0\n" + nothing, here));
  EXPECT_TRUE(bound_by_process_limit("Uid:\t0\t0\t0\t0\n" + all, elsewhere))
      << "the root of a user namespace";
  EXPECT_TRUE(bound_by_process_limit("", ""));
}

TEST_F(ThreadLimits, TheTightestCgroupOfVersion2IsNamedWithItsFile) {
  write("proc/self/cgroup", "0::/system.slice/bench.service\n");
  group("system.slice/bench.service", "max", "98");
  group("system.slice", "100", "98");
  const ThreadLimit limit = limit_that_was_hit(sources_);
  EXPECT_EQ(limit.name, "pids_cgroup");
  EXPECT_EQ(limit.limit, 100U);
  EXPECT_NE(limit.cure.find("system.slice/pids.max"), std::string::npos) << limit.cure;
}

TEST_F(ThreadLimits, AContainersOwnRootHoldsItsLimit) {
  write("proc/self/cgroup", "0::/\n");
  group(".", "64", "63");
  EXPECT_EQ(hit(), "pids_cgroup");
}

TEST_F(ThreadLimits, AContainerThatSeesTheHostsPathFindsItsLimitAtTheRoot) {
  write("proc/self/cgroup", "0::/docker/0123abcd\n");
  group(".", "64", "60");
  EXPECT_EQ(hit(), "pids_cgroup");
}

TEST_F(ThreadLimits, Version1IsReadFromItsOwnHierarchy) {
  write("proc/self/cgroup", "12:memory:/elsewhere\n9:pids:/user.slice\n1:name=systemd:/x\n");
  group("pids/user.slice", "200", "199");
  group("elsewhere", "10", "10");
  const ThreadLimit limit = limit_that_was_hit(sources_);
  EXPECT_EQ(limit.name, "pids_cgroup");
  EXPECT_EQ(limit.limit, 200U);
}

TEST_F(ThreadLimits, ALimitThatWasLoweredBelowItsUseIsTheTightest) {
  write("proc/self/cgroup", "0::/a/b\n");
  group("a/b", "50", "70");
  group("a", "80", "75");
  EXPECT_EQ(limit_that_was_hit(sources_).limit, 50U);
  group("a/b", "0", "1");
  EXPECT_EQ(limit_that_was_hit(sources_).limit, 0U);
}

TEST_F(ThreadLimits, WhatCannotBeReadOrUnderstoodIsLeftOut) {
  write("proc/self/cgroup", "nonsense\n0:only one colon\n\n::\n");
  for (const char* text : {"", "0.1 0.2 0.3", "0.1 0.2 0.3 2 77", "0.1 0.2 0.3 2/ 77",
                           "0.1 0.2 0.3 2/x 77", "0.1 0.2 0.3 2/99999999999999999999999 77"}) {
    write("proc/loadavg", text);
    EXPECT_EQ(hit(), "memory") << text;
  }
  fs::remove_all(root_);
  EXPECT_TRUE(thread_limits(sources_).empty());
  EXPECT_EQ(hit(), "memory");
}

TEST(ThreadLimitsHere, AreReadFromThisMachine) {
  EXPECT_FALSE(thread_limits().empty());
  for (const ThreadLimit& each : thread_limits()) {
    EXPECT_FALSE(each.cure.empty());
    EXPECT_GT(each.used + each.limit, 0U) << each.name;
  }
}

}  // namespace
}  // namespace precipice
