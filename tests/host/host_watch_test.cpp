#include "harness/host/host_watch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace precipice {
namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(HostWatch, AStallIsSharedWhereEveryCpuSawItAtTheSameTime) {
  const std::vector<ProbeSleep> first = {{0, 10}, {100 * kMs, 7 * kMs}, {200 * kMs, 9 * kMs}};
  const std::vector<ProbeSleep> second = {{0, 10}, {109 * kMs, 5 * kMs}, {300 * kMs, 9 * kMs}};
  EXPECT_EQ(longest_shared_stall({first, second}), 5 * kMs);
  EXPECT_EQ(longest_shared_stall({second, first}), 5 * kMs);
  EXPECT_EQ(longest_shared_stall({first}), 9 * kMs);
  EXPECT_EQ(longest_shared_stall({first, {{200 * kMs + 11 * kMs, 9 * kMs}}}), 0);
  EXPECT_EQ(longest_shared_stall({first, {}}), 0);
  EXPECT_EQ(longest_shared_stall({}), 0);
}

}  // namespace
}  // namespace precipice
