#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "harness/host/environment.hpp"
#include "harness/host/machine.hpp"
#include "harness/json.hpp"
#include "tests/support/sample_files.hpp"
#include "tests/support/sample_server.hpp"

namespace precipice {
namespace {

using testing::intel_server;
using testing::SampleFiles;

TEST(Differences, AreNoneBetweenTwoLooksAtAQuietMachine) {
  Json before = machine_json(SampleFiles(intel_server()));
  before["ticks_per_s"] = 100;
  Json after = before;
  after["uptime_s"] = 1100;
  EXPECT_TRUE(differences(before, after).empty());
  EXPECT_TRUE(differences(nullptr, after).empty());
  EXPECT_TRUE(differences(Json::object(), Json::object()).empty());
}

TEST(Differences, SayWhatChangedWithTheNumbers) {
  Json before = machine_json(SampleFiles(intel_server()));
  before["ticks_per_s"] = 100;
  before["cgroup"]["throttling"] = {{"throttled_periods", 3}, {"throttled_us", 1000}};
  before["timer"]["wake_up_error_ns"]["p99"] = 60'000;
  const auto one = [&](const char* pointer, const Json& value) {
    Json after = before;
    after["uptime_s"] = 1100.5;
    after[Json::json_pointer(pointer)] = value;
    const auto found = differences(before, after);
    return found.size() == 1 ? found[0] : fmt::format("{} differences", found.size());
  };
  EXPECT_TRUE(one("/cgroup/throttling/throttled_periods", 8).find("in 5 periods") !=
              std::string::npos);
  // 1000 of 100 s x 1 CPU x 100 ticks.
  EXPECT_NE(one("/steal_ticks/cpu", 1088).find("took 10.00% of the CPU time"), std::string::npos);
  EXPECT_NE(one("/kernel/clock_source", "tsc").find("from hpet to tsc"), std::string::npos);
  EXPECT_NE(one("/cpu/governor", "performance").find("the frequency governor changed"),
            std::string::npos);
  EXPECT_NE(one("/cpu/boost", false).find("boost changed from true to false"), std::string::npos);
  EXPECT_NE(one("/load/runnable", 9).find("9 other tasks were runnable at the end, 4 at the start"),
            std::string::npos);
  EXPECT_NE(one("/memory/SwapFree_bytes", 0).find("1024 MiB more are in swap"), std::string::npos);
  EXPECT_NE(one("/timer/wake_up_error_ns/p99", 900'000).find("sleeps ended"), std::string::npos);
  EXPECT_NE(one("/cpu/mitigations/mds", "Mitigation: Clear").find("mitigations"),
            std::string::npos);
}

}  // namespace
}  // namespace precipice
