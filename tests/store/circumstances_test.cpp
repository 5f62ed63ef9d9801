#include "harness/store/circumstances.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/json.hpp"
#include "harness/store/suite.hpp"
#include "tests/support/environment_setting.hpp"

namespace precipice {
namespace {

Plan plan_of(const std::string& workload) {
  return parse_suite(
      "schema = 1\nname = \"x\"\n[[model]]\nuse = \"inline\"\n[[workload]]\nuse = \"" + workload +
          "\"\n",
      "x.toml");
}

std::map<std::string, std::string> found(const Plan& plan, const Json& environment) {
  const auto list = circumstances_of(plan, environment);
  return {list.begin(), list.end()};
}

Json environment(const char* model, const char* kernel) {
  return {{"cpu", {{"model", model}, {"online", "0-1"}}}, {"kernel", {{"release", kernel}}}};
}

TEST(Circumstances, AreTheMachineAndItsKernel) {
  const Plan plan = plan_of("cpu");
  const auto here = found(plan, environment("Xeon", "6.1"));
  EXPECT_EQ(here.at("the machine"), "Xeon, 0-1, 6.1");
  EXPECT_EQ(found(plan, environment("Xeon", "6.1")), here);
  EXPECT_NE(found(plan, environment("EPYC", "6.1")), here);
  EXPECT_NE(found(plan, environment("Xeon", "6.2")), here);
  EXPECT_EQ(found(plan, Json::object()).at("the machine"), "");
}

TEST(Circumstances, HoldTheScratchDirectoryWhereItIsRead) {
  EXPECT_FALSE(found(plan_of("cpu"), {}).contains("the scratch directory"));
  const testing::EnvironmentSetting setting("PRECIPICE_SCRATCH", "/proc/here");
  const std::string place = found(plan_of("file"), {}).at("the scratch directory");
  EXPECT_TRUE(place.starts_with("/proc/here (")) << place;
}

TEST(Circumstances, AreNoneOnTheVirtualClock) {
  Plan plan = plan_of("cpu");
  plan.clock = ClockKind::virtual_time;
  EXPECT_TRUE(circumstances_of(plan, environment("Xeon", "6.1")).empty());
}

TEST(Circumstances, HoldWhatReplacesOrTunesTheAllocator) {
  const char* const variables[] = {"MALLOC_ARENA_MAX=1", "HOME=/root", "LD_PRELOAD=/lib/x.so",
                                   "GLIBC_TUNABLES=", nullptr};
  EXPECT_EQ(loader_settings(variables), "LD_PRELOAD=/lib/x.so MALLOC_ARENA_MAX=1");
}

TEST(Circumstances, NameChangedSettingsAndNotWhatCountsOn) {
  const auto at = [](const char* governor, double up_s, int throttled) -> Json {
    return {{"uptime_s", up_s},
            {"ticks_per_s", 100},
            {"steal_ticks", {{"cpu", throttled}, {"cpu0", throttled}}},
            {"cpu", {{"governor", governor}}},
            {"load", {{"runnable", throttled}}},
            {"cgroup", {{"throttling", {{"throttled_periods", throttled}}}}}};
  };
  EXPECT_TRUE(changed_settings(at("powersave", 10, 0), at("powersave", 20, 900)).empty());
  const auto changed = changed_settings(at("powersave", 10, 0), at("performance", 20, 900));
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_NE(changed[0].find("governor changed from powersave to performance"), std::string::npos);
  EXPECT_TRUE(changed_settings(nullptr, at("performance", 20, 0)).empty());
}

}  // namespace
}  // namespace precipice
