// What is read of /proc and /sys, from sample files of machines that are not here.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/host/build_info.hpp"
#include "harness/host/machine.hpp"
#include "harness/json.hpp"
#include "tests/support/sample_files.hpp"
#include "tests/support/sample_server.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;
using testing::intel_server;
using testing::SampleFiles;

TEST(MachineText, ReadsABareMetalIntelServer) {
  const Json m = machine_json(SampleFiles(intel_server()));
  EXPECT_EQ(m["cpu"]["model"], "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz");
  EXPECT_EQ(m["cpu"]["microcode"], "0x5003604");
  EXPECT_EQ(m["cpu"]["governor"], "mixed: performance x1, powersave x3");
  EXPECT_EQ(m["cpu"]["boost"], true);
  EXPECT_EQ(m["cpu"]["smt_active"], true);
  EXPECT_EQ(m["cpu"]["allowed"], "0-3");
  EXPECT_TRUE(m["cpu"]["isolated"].is_null());
  EXPECT_TRUE(m["cpu"]["nohz_full"].is_null());
  EXPECT_EQ(m["cpu"]["cores"], Json::parse(R"(["0,2","1,3"])"));
  EXPECT_EQ(m["cpu"]["idle_deepest"]["name"], "C6");
  EXPECT_EQ(m["cpu"]["mitigations"].size(), 3u);
  EXPECT_EQ(m["cpu"]["numa"].size(), 2u);
  EXPECT_EQ(m["cpu"]["numa"]["node1"]["distances"], Json::parse("[21.0,10.0]"));
  EXPECT_EQ(m["kernel"]["clock_source"], "hpet");
  EXPECT_EQ(m["kernel"]["config"], Json::parse(R"({"CONFIG_HZ":"250"})"));
  EXPECT_EQ(m["kernel"]["relevant_options"], Json::parse(R"(["isolcpus=2,3","mitigations=auto"])"));
  EXPECT_EQ(m["kernel"]["timer_slack_ns"], 50000);
  EXPECT_EQ(m["memory"]["transparent_hugepages"], "always");
  EXPECT_EQ(m["memory"]["SwapFree_bytes"], 1048576u * 1024u);
  EXPECT_EQ(m["limits"]["nofile"]["hard"], 4096);
  EXPECT_EQ(m["limits"]["stack"]["hard"], "unlimited");
  EXPECT_EQ(m["cgroup"]["version"], "v2");
  EXPECT_TRUE(m["cgroup"]["cpu_limit"].is_null()) << "max is no limit";
  EXPECT_EQ(m["cgroup"]["pids_limit"], 12288) << "an ancestor's";
  EXPECT_EQ(m["threads"]["possible"], 12288);
  EXPECT_EQ(m["threads"]["limited_by"], "pids_limit");
  EXPECT_EQ(m["steal_ticks"]["cpu"], 88);
  EXPECT_EQ(m["pressure"]["cpu"]["some"]["avg10"], 32.5);
  EXPECT_TRUE(m["pressure"]["io"].is_null());
  EXPECT_EQ(m["load"]["runnable"], 4) << "not the reader itself";
  EXPECT_EQ(m["virtualisation"]["hypervisor_flag"], false);
}

TEST(MachineText, ReadsAnAmdGuestInAContainerOfTheFirstCgroupVersion) {
  const Json m = machine_json(SampleFiles({
      {"/proc/cpuinfo",
       "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n"
       "microcode\t: 0x1000065\nflags\t\t: fpu hypervisor sse\n"},
      {"/sys/devices/system/cpu/cpufreq/boost", "0\n"},
      {"/proc/self/cgroup",
       "4:memory:/docker/0123abcd\n3:cpu,cpuacct:/docker/0123abcd\n2:pids:/docker/0123abcd\n"},
      // Inside the container the group is the root of the mount.
      {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
       "nr_periods 120\nnr_throttled 7\nthrottled_time 9000000\n"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {"/sys/fs/cgroup/pids/pids.max", "max\n"},
      {"/.dockerenv", ""},
      {"/sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n"},
  }));
  EXPECT_EQ(m["cpu"]["vendor"], "AuthenticAMD");
  EXPECT_EQ(m["cpu"]["boost"], false);
  EXPECT_TRUE(m["cpu"]["governor"].is_null());
  EXPECT_EQ(m["virtualisation"]["hypervisor_flag"], true);
  EXPECT_EQ(m["virtualisation"]["container_hints"], Json::parse(R"(["/.dockerenv"])"));
  EXPECT_EQ(m["cgroup"]["version"], "v1");
  EXPECT_EQ(m["cgroup"]["cpu_limit"], 1.5);
  EXPECT_EQ(m["cgroup"]["throttling"]["throttled_periods"], 7);
  EXPECT_EQ(m["cgroup"]["throttling"]["throttled_us"], 9000);
  EXPECT_TRUE(m["cgroup"]["memory_limit_bytes"].is_null()) << "v1's word for no limit";
  EXPECT_TRUE(m["cgroup"]["pids_limit"].is_null());
}

TEST(MachineText, TakesTheLeastCpuLimitOfAllAncestors) {
  const SampleFiles files({{"/proc/self/cgroup", "0::/kubepods/pod1/c1\n"},
                           {"/sys/fs/cgroup/kubepods/cpu.max", "800000 100000\n"},
                           {"/sys/fs/cgroup/kubepods/pod1/cpu.max", "50000 100000\n"},
                           {"/sys/fs/cgroup/kubepods/pod1/c1/cpu.max", "max 100000\n"},
                           {"/sys/fs/cgroup/kubepods/pod1/c1/cpu.stat",
                            "usage_usec 5\nnr_periods 3\nnr_throttled 2\nthrottled_usec 40\n"}});
  EXPECT_EQ(cgroup_cpu_limit(files), 0.5);
  EXPECT_EQ(machine_json(files)["cgroup"]["throttling"]["throttled_us"], 40);
}

TEST(MachineText, ReadsAnArmMachine) {
  const Json m = machine_json(SampleFiles(
      {{"/proc/cpuinfo",
        "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
        "CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n"},
       {"/sys/devices/system/clocksource/clocksource0/current_clocksource",
        "arch_sys_counter\n"}}));
  EXPECT_EQ(m["cpu"]["model"], "implementer 0x41 part 0xd0c revision 1");
  EXPECT_EQ(m["kernel"]["clock_source"], "arch_sys_counter");
  EXPECT_TRUE(m["cpu"]["microcode"].is_null());
}

TEST(MachineText, AnswersNullWhereNothingCanBeRead) {
  const Json m = machine_json(SampleFiles({}));
  for (const char* key : {"model", "governor", "boost", "smt", "isolated", "idle_deepest"})
    EXPECT_TRUE(m["cpu"][key].is_null()) << key;
  EXPECT_TRUE(m["cgroup"]["version"].is_null());
  EXPECT_TRUE(m["limits"]["nofile"].is_null());
  EXPECT_TRUE(m["threads"]["possible"].is_null());
  EXPECT_TRUE(m["load"].is_null());
  EXPECT_TRUE(m["cpu"]["numa"].is_object());
}

TEST(MachineText, SurvivesTextsThatAreNotWhatTheyShouldBe) {
  // Every file of a sample, cut at every length and with its numbers spoilt: no exception, ever.
  for (const auto& [path, text] : intel_server()) {
    for (std::size_t length = 0; length <= text.size(); length += 1 + text.size() / 12) {
      auto spoilt = intel_server();
      spoilt[path] = text.substr(0, length);
      EXPECT_NO_THROW(machine_json(SampleFiles(spoilt))) << path << " cut to " << length;
    }
    auto spoilt = intel_server();
    std::replace_if(
        spoilt[path].begin(), spoilt[path].end(), [](char c) { return c >= '0' && c <= '9'; }, 'x');
    EXPECT_NO_THROW(machine_json(SampleFiles(spoilt))) << path;
  }
}

TEST(MachineText, TakesSmallFormsApart) {
  EXPECT_EQ(cpu_numbers("0-2,8\n"), (std::vector<int>{0, 1, 2, 8}));
  EXPECT_TRUE(cpu_numbers("3-1").empty());
  EXPECT_TRUE(cpu_numbers("0-999999999").empty()) << "a broken text must not take all memory";
  EXPECT_EQ(chosen_of("always [madvise] never"), "madvise");
  EXPECT_EQ(chosen_of("always"), std::nullopt);
  EXPECT_EQ(number_of("max"), std::nullopt);
  EXPECT_EQ(number_of("nan"), std::nullopt);
  EXPECT_EQ(with_ancestors("/a/b"), (std::vector<std::string>{"/a/b", "/a", ""}));
  EXPECT_EQ(with_ancestors("/"), (std::vector<std::string>{""}));
  EXPECT_TRUE(load_of("1 2").is_null());
  EXPECT_EQ(relevant_kernel_options("quiet nohz_full=1 -- --isolcpus=1"),
            (std::vector<std::string>{"nohz_full=1"}));
  EXPECT_EQ(sanitizers_in("-O3 -fsanitize=address,undefined"), "address,undefined");
  EXPECT_EQ(sanitizers_in("-O3 -pthread -fno-threadsafe-statics"), "");
}

}  // namespace
}  // namespace precipice
