// How much memory is left, read from trees of files as kernels and container runtimes lay them out,
// and whether a trial fits into it.
#include "models/memory_limits.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/trial/memory_need.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20;

class MemoryLimits : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / (std::string("precipice-memory-") + test->name());
    fs::remove_all(root_);
    sources_ = {.proc = root_ / "proc", .cgroup = root_ / "cgroup"};
    write("proc/meminfo",
          "MemTotal:        8388608 kB\nMemFree:  100 kB\nMemAvailable:    4194304 kB\n"
          "CommitLimit:     2097152 kB\nCommitted_AS:    1048576 kB\n");
    write("proc/self/status", "Name:\ta b c\nVmSize:\t  204800 kB\nVmData:\t  102400 kB\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void group_v1(const std::string& path, std::uint64_t limit, std::uint64_t used,
                std::uint64_t inactive = 0) const {
    const std::string directory = "cgroup/memory/" + path;
    write(directory + "/memory.limit_in_bytes", std::to_string(limit) + "\n");
    write(directory + "/memory.usage_in_bytes", std::to_string(used) + "\n");
    write(directory + "/memory.stat",
          "inactive_file 7\ntotal_inactive_file " + std::to_string(inactive) + "\ntotal_rss 5\n");
  }
  void group_v2(const std::string& path, const std::string& limit, std::uint64_t used) const {
    write("cgroup/" + path + "/memory.max", limit + "\n");
    write("cgroup/" + path + "/memory.current", std::to_string(used) + "\n");
  }
  MemoryLimit least() const { return memory_limits(sources_).front(); }
  std::string refusal(std::uint64_t bytes) const {
    try {
      require_memory(bytes, "9 requests in one trial", "lower the rate", sources_);
    } catch (const Unavailable& reason) {
      return reason.what();
    }
    return "";
  }

  fs::path root_;
  MemoryLimitSources sources_;
};

TEST_F(MemoryLimits, TheMachinesOwnIsLeftWhereNothingElseBounds) {
  ASSERT_EQ(memory_limits(sources_).size(), 1U);
  EXPECT_EQ(least().name, "memory");
  EXPECT_EQ(least().room(), 4096 * kMiB);
}

TEST_F(MemoryLimits, TheCgroupsOfVersion1CountWithTheirAncestorsAndWithoutIdleFilePages) {
  write("proc/self/cgroup", "4:memory:/job/task\n0::/\n");
  group_v1("job/task", std::uint64_t{9223372036854771712U}, 50 * kMiB);
  group_v1("job", 300 * kMiB, 250 * kMiB, 200 * kMiB);
  EXPECT_EQ(least().name, "memory_cgroup");
  EXPECT_EQ(least().room(), 250 * kMiB);
  EXPECT_NE(least().cure.find("job/memory.limit_in_bytes"), std::string::npos);
  EXPECT_EQ(memory_limits(sources_).size(), 2U) << "no limit is none";
}

TEST_F(MemoryLimits, TheCgroupsOfVersion2CountWithTheirAncestors) {
  write("proc/self/cgroup", "0::/system.slice/bench.service\n");
  group_v2("system.slice/bench.service", "max", 10 * kMiB);
  group_v2("system.slice", std::to_string(500 * kMiB), 100 * kMiB);
  group_v2(".", std::to_string(900 * kMiB), 800 * kMiB);
  EXPECT_EQ(least().room(), 100 * kMiB) << "the tightest of all";
  EXPECT_EQ(memory_limits(sources_)[1].room(), 400 * kMiB);
}

TEST_F(MemoryLimits, AContainerThatSeesTheHostsPathFindsItsLimitAtTheRoot) {
  write("proc/self/cgroup", "0::/docker/0123abcd\n");
  group_v2(".", std::to_string(300 * kMiB), 400 * kMiB);
  EXPECT_EQ(least().room(), 0U) << "lowered below what is used";
}

TEST_F(MemoryLimits, LimitsOfTheProcessAndOfOvercommitAreNamed) {
  sources_.address_space = 390 * kMiB;
  EXPECT_EQ(least().name, "rlimit_as");
  EXPECT_EQ(least().room(), 190 * kMiB);
  sources_.data = 110 * kMiB;
  EXPECT_EQ(least().name, "rlimit_data");
  EXPECT_EQ(memory_that_ran_out(sources_),
            "the data segment is limited to 110 MiB, 100 MiB of them used (raise it with ulimit "
            "-d)");
  sources_.address_space = sources_.data = std::nullopt;
  EXPECT_EQ(least().name, "memory");
  write("proc/sys/vm/overcommit_memory", "2\n");
  EXPECT_EQ(least().name, "overcommit");
  EXPECT_EQ(least().room(), 1024 * kMiB);
}

TEST_F(MemoryLimits, WhatCannotBeReadBoundsNothing) {
  fs::remove_all(root_);
  EXPECT_TRUE(memory_limits(sources_).empty());
  EXPECT_EQ(memory_that_ran_out(sources_), "no memory");
  EXPECT_EQ(refusal(~std::uint64_t{0}), "");
}

TEST_F(MemoryLimits, ATrialThatDoesNotFitIsRefusedWithTheLimitThatItWouldMeet) {
  write("proc/self/cgroup", "4:memory:/job\n");
  group_v1("job", 300 * kMiB, 50 * kMiB);
  EXPECT_EQ(refusal(190 * kMiB), "");
  const std::string text = refusal(201 * kMiB);
  EXPECT_NE(text.find("9 requests in one trial need 201 MiB, and 250 MiB are free, since the "
                      "cgroup limits memory to 300 MiB"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lower the rate"), std::string::npos) << text;
}

TEST(MallocArenas, HaveAQuarterOfALimitedAddressSpaceAtMost) {
  EXPECT_EQ(bound_malloc_arenas(std::nullopt), std::nullopt);
  EXPECT_EQ(bound_malloc_arenas(400'000ULL << 10), 1);       // ulimit -v 400000
  EXPECT_EQ(bound_malloc_arenas(1ULL << 50), std::nullopt);  // more than malloc would make itself
}

TEST(MemoryNeed, GrowsWithWhatIsUnderWayAtOnce) {
  TrialRequest request;
  request.model.name = "event_loop";
  request.rate_per_s = 1e6;
  const std::uint64_t brief = memory_need(request, 1'000'000, 1ms);
  const std::uint64_t lasting = memory_need(request, 1'000'000, 500ms);
  EXPECT_GT(lasting, brief + 499'000 * 500);
  EXPECT_EQ(memory_need(request, 1'000'000, 1h), memory_need(request, 1'000'000, 1s))
      << "no more than there are";
  request.model.name = "thread_per_request";
  EXPECT_GT(memory_need(request, 1'000'000, 500ms), 500'000ULL * 16'384) << "a stack for each";
  request.rate_per_s = 0;
  request.closed = 300'000;
  EXPECT_GT(memory_need(request, 400'000, 1ms), 300'000ULL * 16'384) << "the whole loop";
}

TEST(MemoryNeed, OfAPoolIsThatOfItsThreads) {
  TrialRequest request;
  request.model.name = "fixed_pool";
  request.rate_per_s = 1000;
  const std::uint64_t few = memory_need(request, 1000, 1s);
  request.model.given["threads"] = "30k";
  EXPECT_GT(memory_need(request, 1000, 1s), few + 29'000ULL * 16'384);
}

}  // namespace
}  // namespace precipice
