#include "harness/host/wake_up.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

namespace precipice {
namespace {

TEST(WakeUps, AreSummarisedByNearestRank) {
  std::vector<std::int64_t> late(100);
  for (int i = 0; i < 100; ++i) late[static_cast<std::size_t>(i)] = 100 - i;
  const Json json = wake_ups_json(late, Nanos(5));
  EXPECT_EQ(json["p50"], 50);
  EXPECT_EQ(json["p99"], 99);
  EXPECT_EQ(json["max"], 100);
  EXPECT_TRUE(wake_ups_json({}, Nanos(5))["p99"].is_null());
  EXPECT_EQ(measure_wake_ups({}, 3, Nanos(1000), std::chrono::seconds(60)).size(), 3u);
}

}  // namespace
}  // namespace precipice
