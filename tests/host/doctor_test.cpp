// The machine described, doctor's findings, the noise floor and --anonymous: on samples of other
// machines, so that nothing depends on the one that runs this.
#include "harness/host/doctor.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/capacity/preflight.hpp"
#include "harness/host/build_info.hpp"
#include "harness/host/environment.hpp"
#include "harness/host/examination.hpp"
#include "harness/host/machine.hpp"
#include "harness/host/redact.hpp"
#include "harness/host/wake_up.hpp"
#include "harness/json.hpp"
#include "harness/trial/noise_sampler.hpp"
#include "tests/support/sample_files.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;
using testing::SampleFiles;

constexpr const char* kSys = "/sys/devices/system/";

/// Two sockets of a server: governor powersave, turbo, SMT, two NUMA nodes, hpet.
std::map<std::string, std::string> intel_server() {
  const std::string cpu = std::string(kSys) + "cpu/", node = std::string(kSys) + "node/";
  return {
      {"/proc/cpuinfo",
       "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"
       "model name\t: Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz\nstepping\t: 7\n"
       "microcode\t: 0x5003604\ncpu MHz\t\t: 1000.123\nflags\t\t: fpu vme constant_tsc\n\n"
       "processor\t: 1\nmodel name\t: another\n"},
      {"/proc/self/status",
       "Name:\tprecipice\nUid:\t1000\t1000\t1000\t1000\nSeccomp:\t0\n"
       "Cpus_allowed_list:\t0-3\n"},
      {"/proc/self/cgroup", "0::/user.slice/user-1000.slice/session-2.scope\n"},
      {"/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"},
      {"/sys/fs/cgroup/user.slice/user-1000.slice/pids.max", "12288\n"},
      {"/proc/self/limits",
       "Limit                     Soft Limit           Hard Limit           Units     \n"
       "Max stack size            8388608              unlimited            bytes     \n"
       "Max processes             254877               254877               processes \n"
       "Max open files            1024                 4096                 files     \n"
       "Max locked memory         65536                65536                bytes     \n"},
      {"/proc/sys/kernel/pid_max", "32768\n"},
      {"/proc/sys/kernel/threads-max", "509754\n"},
      {"/proc/sys/vm/max_map_count", "65530\n"},
      {"/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"},
      {"/boot/config-6.1.0-18-amd64", "CONFIG_HZ=250\n# CONFIG_NO_HZ_FULL is not set\n"},
      {"/proc/cmdline",
       "BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet ip=10.1.2.3 isolcpus=2,3 mitigations=auto\n"},
      {cpu + "online", "0-3\n"},
      {cpu + "isolated", "\n"},
      {cpu + "nohz_full", "(null)\n"},
      {cpu + "cpu0/cpufreq/scaling_governor", "powersave\n"},
      {cpu + "cpu1/cpufreq/scaling_governor", "powersave\n"},
      {cpu + "cpu2/cpufreq/scaling_governor", "powersave\n"},
      {cpu + "cpu3/cpufreq/scaling_governor", "performance\n"},
      {cpu + "cpu0/cpufreq/scaling_driver", "intel_pstate\n"},
      {cpu + "cpu0/cpufreq/scaling_min_freq", "1000000\n"},
      {cpu + "cpu0/cpufreq/scaling_max_freq", "3900000\n"},
      {cpu + "intel_pstate/no_turbo", "0\n"},
      {cpu + "smt/control", "on\n"},
      {cpu + "smt/active", "1\n"},
      {cpu + "cpu0/topology/thread_siblings_list", "0,2\n"},
      {cpu + "cpu1/topology/thread_siblings_list", "1,3\n"},
      {cpu + "cpu2/topology/thread_siblings_list", "0,2\n"},
      {cpu + "cpu3/topology/thread_siblings_list", "1,3\n"},
      {cpu + "cpu0/cpuidle/state0/latency", "0\n"},
      {cpu + "cpu0/cpuidle/state0/name", "POLL\n"},
      {cpu + "cpu0/cpuidle/state1/latency", "133\n"},
      {cpu + "cpu0/cpuidle/state1/name", "C6\n"},
      {cpu + "cpu0/cpuidle/state1/disable", "0\n"},
      {cpu + "vulnerabilities/meltdown", "Mitigation: PTI\n"},
      {cpu + "vulnerabilities/l1tf", "Not affected\n"},
      {cpu + "vulnerabilities/mds", "Vulnerable\n"},
      {node + "node0/cpulist", "0,2\n"},
      {node + "node0/distance", "10 21\n"},
      {node + "node1/cpulist", "1,3\n"},
      {node + "node1/distance", "21 10\n"},
      {node + "online", "0-1\n"},
      {std::string(kSys) + "clocksource/clocksource0/current_clocksource", "hpet\n"},
      {std::string(kSys) + "clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm \n"},
      {"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
      {"/proc/meminfo",
       "MemTotal:       196692000 kB\nSwapTotal:       2097152 kB\nSwapFree:        1048576 kB\n"},
      {"/proc/pressure/cpu",
       "some avg10=32.50 avg60=7.23 avg300=5.46 total=3655115667\n"
       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
      {"/proc/loadavg", "3.10 2.05 1.00 5/812 41234\n"},
      {"/proc/stat", "cpu  10 20 30 40 50 60 70 88 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 12\n"},
      {"/proc/uptime", "1000.50 3000.00\n"},
      {"/proc/self/timerslack_ns", "50000\n"},
      {"/proc/sys/net/ipv4/ip_local_port_range", "32768\t34767\n"},
  };
}

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

// ---- the noise floor ----

/// `seconds` of probes every millisecond on two CPUs, all 20 us late, but for the given stalls.
NoiseSamples quiet(double seconds = 2) {
  NoiseSamples samples;
  samples.watched_s = seconds;
  samples.cpus = 2;
  for (int cpu = 0; cpu < 2; ++cpu) {
    for (int ms = 0; ms < static_cast<int>(seconds * 1000); ++ms)
      samples.stalls.push_back({cpu, ms * 1'000'000LL, 20'000});
  }
  for (int i = 0; i < static_cast<int>(seconds * 2000); ++i)
    samples.self_lags.push_back({i * 500'000LL, 100});
  return samples;
}

void stall(NoiseSamples& samples, int cpu, std::int64_t at_ms, std::int64_t length_ns) {
  samples.stalls.push_back({cpu, at_ms * 1'000'000, length_ns});
}

constexpr Nanos kWindow = std::chrono::milliseconds(500);

TEST(NoiseFloor, OfAQuietMachineIsTwiceItsTimerError) {
  const NoiseFloor floor(quiet());
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(40'000));
  EXPECT_EQ(floor.smallest_service(kWindow), Nanos(4'000));
  EXPECT_EQ(floor.lost_share(40'000, kWindow), 0);
  EXPECT_EQ(floor.lost_share(39'998, kWindow), 1);
}

TEST(NoiseFloor, CountsAStallOfAllCpusOnce) {
  NoiseSamples samples = quiet();
  stall(samples, 0, 101, 5'000'000);
  stall(samples, 1, 102, 5'000'000);
  const NoiseFloor floor(samples);
  // One event in 2 s: a window of half a second meets it with 1 - (199/200)^50.
  EXPECT_NEAR(floor.lost_share(1e6, kWindow), 1 - std::pow(199.0 / 200, 50), 1e-9);
  EXPECT_EQ(floor.lost_share(10e6, kWindow), 0) << "half the SLO is not exceeded";
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(40'000)) << "one in 2 s leaves most windows alone";
  ASSERT_EQ(floor.longest_stalls().size(), 2u);
  EXPECT_EQ(floor.longest_stalls()[1].longest_ns, 5'000'000);
}

TEST(NoiseFloor, LiesWhereHalfOfTheWindowsAreClean) {
  NoiseSamples samples = quiet();
  // Twenty stalls of 1 to 20 ms, one every 100 ms.
  for (int i = 0; i < 20; ++i) stall(samples, i % 2, 100 * i + 5, (i + 1) * 1'000'000LL);
  const NoiseFloor floor(samples);
  // 1 - 0.5^(1/50) = 1.38% of 200 parts: two longer stalls are borne, so the third longest decides.
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(36'000'000));
  EXPECT_LE(floor.lost_share(36e6, kWindow), 0.5);
  EXPECT_GT(floor.lost_share(36e6 - 2, kWindow), 0.5);
  EXPECT_GT(floor.smallest_slo(std::chrono::seconds(2)), floor.smallest_slo(kWindow))
      << "longer windows meet more";
}

TEST(NoiseFloor, RisesWithTheGeneratorsOwnLag) {
  NoiseSamples samples = quiet();
  for (std::size_t i = 0; i < samples.self_lags.size(); i += 50)
    samples.self_lags[i].late_ns = 80'000;
  const NoiseFloor floor(samples);
  EXPECT_EQ(floor.self_lag_p99_ns(), 80'000);
  EXPECT_EQ(floor.smallest_slo(kWindow), Nanos(4'000'000)) << "80 us are 2% of it";
  EXPECT_GT(floor.lost_share(3.9e6, kWindow), 0.99);
  EXPECT_EQ(floor.lost_share(4e6, kWindow), 0);

  NoiseSamples within = quiet();
  for (auto& lag : within.self_lags) lag.late_ns = 50'000;
  EXPECT_EQ(NoiseFloor(within).smallest_slo(kWindow), Nanos(100'000)) << "50 us are always allowed";
}

TEST(NoiseFloor, DoesNotCondemnTheMachineForOnePreemptionInAShortLook) {
  NoiseSamples samples = quiet(0.4);
  // 4 ms on the generator's CPU: 8 of 800 arrivals are late, which is p99.
  for (std::size_t i = 0; i < 9; ++i)
    samples.self_lags[200 + i].late_ns = 4'000'000 - static_cast<std::int64_t>(i) * 400'000;
  const NoiseFloor floor(samples);
  EXPECT_GT(floor.self_lag_p99_ns(), 50'000);
  EXPECT_GT(floor.lost_to_lag(200e3, kWindow), 0.3);
  EXPECT_LT(floor.lost_to_lag(200e3, kWindow), 0.9);
  EXPECT_EQ(floor.lost_to_lag(200e6, kWindow), 0);
}

TEST(NoiseFloor, HasNoSloWhereTheHostSteals) {
  NoiseSamples samples = quiet();
  samples.steal_ticks = 5;
  EXPECT_EQ(NoiseFloor(samples).smallest_slo(kWindow), std::nullopt);
  EXPECT_EQ(NoiseFloor(samples).lost_share(1e12, kWindow), 1);
  samples.steal_ticks = 4;  // one per CPU-second, which the gate allows
  EXPECT_NE(NoiseFloor(samples).smallest_slo(kWindow), std::nullopt);
}

TEST(NoiseFloor, OfNoSamplesClaimsNothing) {
  const NoiseFloor floor;
  EXPECT_EQ(floor.lost_share(1, kWindow), 0);
  EXPECT_NO_THROW(to_json(floor, kWindow));
}

Plan plan_of(std::vector<Spec> workloads) {
  Plan plan;
  plan.window = kWindow;
  plan.models = {{"fixed_pool", {{"threads", "2"}}}};
  plan.workloads = std::move(workloads);
  return plan;
}

/// Stalls of 4.5 ms, 38 in 2 s: a window of half a second is clean once in 33,000.
NoiseFloor noisy() {
  NoiseSamples samples = quiet();
  for (int i = 0; i < 38; ++i) stall(samples, 0, 50 * i + 7, 4'500'000);
  return NoiseFloor(samples);
}

TEST(Preflight, NamesTheWorkloadsBelowTheFloorAndTheSmallestServiceTime) {
  const Plan plan = plan_of(
      {{"cpu", {{"work", "20us"}}}, {"cpu", {{"work", "2ms"}}}, {"sleep", {{"wait", "1ms"}}}});
  const auto sentences = preflight(plan, noisy());
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(
      sentences[0],
      "cpu:work=20us has an SLO of 200us; stalls of this machine alone exceed half of that in "
      "100% of 0.5 s windows: expect no valid trial. The smallest S that can be resolved here "
      "is about 900us.");
  EXPECT_NE(sentences[1].find("sleep:wait=1ms has an SLO of 2.00ms"), std::string::npos)
      << sentences[1];
  EXPECT_NE(sentences[1].find("The smallest SLO that can be resolved here is about 9.00ms."),
            std::string::npos)
      << sentences[1];
  EXPECT_FALSE(nothing_resolvable(plan, noisy())) << "2 ms of work can be measured";
}

TEST(Preflight, SaysWhenNothingCanBeResolved) {
  EXPECT_TRUE(nothing_resolvable(plan_of({{"cpu", {{"work", "20us"}}}}), noisy()));
  EXPECT_FALSE(nothing_resolvable(plan_of({{"file", {}}}), noisy())) << "its S is not known yet";
  EXPECT_TRUE(preflight(plan_of({{"file", {}}}), noisy()).empty());
}

TEST(Preflight, TakesTheUsersBoundTheOracleAndTheVirtualClock) {
  Plan plan = plan_of({{"cpu", {{"work", "20us"}}}});
  plan.slo.bound = std::chrono::milliseconds(50);
  EXPECT_TRUE(preflight(plan, noisy()).empty()) << "50 ms can be resolved";
  plan.slo = {};
  plan.slo.times_service = 1000;
  EXPECT_TRUE(preflight(plan, noisy()).empty()) << "so can 1000 x 20 us";
  plan.slo = {};
  plan.only = "sleep";
  EXPECT_TRUE(preflight(plan, noisy()).empty()) << "nothing of it is measured";
  plan.only.clear();
  plan.clock = ClockKind::virtual_time;
  EXPECT_TRUE(preflight(plan, noisy()).empty());

  Plan oracle = plan_of({{"empty", {}}});
  oracle.models = {{"oracle", {{"mean", "50us"}}}};
  ASSERT_EQ(preflight(oracle, noisy()).size(), 1u);
  EXPECT_TRUE(preflight(oracle, noisy())[0].starts_with("oracle:mean=50us has an SLO of 500us"));
}

TEST(Preflight, BlamesStealAndTheGeneratorByName) {
  NoiseSamples stolen = quiet();
  stolen.steal_ticks = 40;
  stolen.steal_percent = 10;
  const Plan plan = plan_of({{"cpu", {{"work", "20us"}}}});
  ASSERT_EQ(preflight(plan, NoiseFloor(stolen)).size(), 1u);
  EXPECT_NE(preflight(plan, NoiseFloor(stolen))[0].find("steals 10.0%"), std::string::npos);
  NoiseSamples late = quiet();
  for (auto& lag : late.self_lags) lag.late_ns = 90'000;
  ASSERT_EQ(preflight(plan, NoiseFloor(late)).size(), 1u);
  EXPECT_NE(preflight(plan, NoiseFloor(late))[0].find("the generator alone is 90.0us late"),
            std::string::npos)
      << preflight(plan, NoiseFloor(late))[0];
}

TEST(NoiseFloor, IsSampledWithTheRealGeneratorAndWatch) {
  const CpuSet allowed = CpuSet::allowed();
  const CpuSet first({allowed.list().front()});
  const NoiseSamples samples = sample_noise(first, allowed, std::chrono::milliseconds(100));
  EXPECT_EQ(samples.self_lags.size(), 200u) << "2,000 a second, none left out";
  EXPECT_EQ(samples.cpus, static_cast<int>(allowed.size()));
  EXPECT_FALSE(samples.stalls.empty());
  for (const auto& lag : samples.self_lags) EXPECT_GE(lag.late_ns, 0) << "never early";
}

// ---- doctor ----

Examination examined(const Json& environment, NoiseFloor floor = NoiseFloor(quiet())) {
  Examination e;
  e.environment = std::make_shared<const Json>(environment);
  e.floor = std::move(floor);
  e.generator = CpuSet({0});
  e.model = CpuSet({1, 2, 3});
  return e;
}

const Finding* find(const std::vector<Finding>& found, const std::string& part) {
  const auto at = std::find_if(found.begin(), found.end(), [&](const Finding& x) {
    return x.what.find(part) != std::string::npos;
  });
  return at == found.end() ? nullptr : &*at;
}

TEST(Doctor, NamesWhatWouldChangeANumberOnAServerWithItsCure) {
  const auto found = findings(examined(machine_json(SampleFiles(intel_server()))));
  struct Expected {
    const char *what, *cure;
    Severity severity;
  };
  for (const Expected& x : std::initializer_list<Expected>{
           {"the clock is hpet", "echo tsc >", Severity::bad},
           {"the load average is 3.10", "taskset", Severity::bad},
           {"waited for a CPU 32%", "taskset", Severity::bad},
           {"the frequency governor is mixed", "cpupower frequency-set -g performance",
            Severity::doubtful},
           {"boost is on", "intel_pstate/no_turbo", Severity::doubtful},
           {"generator and the model run on hardware threads of one core",
            "--generator-cpus 0 --model-cpus 1", Severity::doubtful},
           {"two of the model's CPUs are hardware threads", "--generator-cpus 0 --model-cpus 1",
            Severity::doubtful},
           {"several NUMA nodes", "one node", Severity::doubtful},
           {"waking takes 133 us", "cpupower idle-set -D 10", Severity::doubtful},
           {"1 CPU flaws are mitigated: meltdown", "mitigations=off", Severity::doubtful},
           {"1024 MiB are in swap", "swapoff -a", Severity::doubtful},
           {"transparent huge pages", "echo madvise", Severity::doubtful},
           {"at most 4096 open files", "nofile", Severity::doubtful},
           {"2000 local ports", "ip_local_port_range", Severity::doubtful},
           {"64 KiB may be locked", "ulimit -l 6144", Severity::doubtful},
       }) {
    const Finding* finding = find(found, x.what);
    ASSERT_NE(finding, nullptr) << x.what;
    EXPECT_EQ(finding->severity, x.severity) << x.what;
    EXPECT_NE(finding->cure.find(x.cure), std::string::npos) << finding->cure;
    EXPECT_FALSE(finding->why.empty()) << x.what;
  }
  EXPECT_NE(find(found, "about 12288 threads are possible (pids_limit)"), nullptr);
}

TEST(Doctor, PutsTheWorstFirst) {
  const auto found = findings(examined(machine_json(SampleFiles(intel_server()))));
  for (std::size_t i = 1; i < found.size(); ++i) {
    EXPECT_LE(found[i - 1].severity, found[i].severity);
    if (found[i - 1].severity != found[i].severity) continue;
    EXPECT_GE(found[i - 1].weight, found[i].weight) << found[i].what;
  }
  EXPECT_EQ(found.front().severity, Severity::bad);
  EXPECT_EQ(found.back().severity, Severity::fine);
}

TEST(Doctor, FindsNothingBadWhereNothingIsShownAndAllIsQuiet) {
  Examination e = examined(machine_json(SampleFiles({})));
  for (const Finding& finding : findings(e))
    EXPECT_NE(finding.severity, Severity::bad) << finding.what;
  EXPECT_EQ(to_json(e, findings(e))["fit"], true);
  EXPECT_EQ(to_json(e, findings(e))["smallest_service_ns"], 4000);
}

/// An environment in which only the given fields are there.
Json only(std::initializer_list<std::pair<const char*, Json>> fields) {
  Json json = Json::object();
  for (const auto& [pointer, value] : fields) json[Json::json_pointer(pointer)] = value;
  return json;
}

TEST(Doctor, JudgesEachThingByItself) {
  const auto severity_of = [](const Examination& e, const std::string& part) {
    const auto found = findings(e);
    const Finding* finding = find(found, part);
    return finding == nullptr                        ? "absent"
           : finding->severity == Severity::bad      ? "bad"
           : finding->severity == Severity::doubtful ? "doubtful"
                                                     : "fine";
  };
  const auto env = [&](std::initializer_list<std::pair<const char*, Json>> fields) {
    return examined(only(fields));
  };
  EXPECT_STREQ(severity_of(env({{"/cgroup/cpu_limit", 1.5}}), "grants 1.50 CPUs"), "bad");
  EXPECT_STREQ(severity_of(env({{"/cgroup/cpu_limit", 4}}), "grants"), "absent");
  EXPECT_STREQ(severity_of(env({{"/cgroup/throttling/throttled_periods", 3}}), "has throttled it"),
               "doubtful");
  EXPECT_STREQ(
      severity_of(env({{"/cgroup/memory_limit_bytes", 500 << 20}, {"/memory/MemTotal_bytes", 8e9}}),
                  "limits memory to 500 MiB"),
      "doubtful");
  EXPECT_STREQ(severity_of(env({{"/virtualisation/hypervisor_flag", true}}), "virtual machine"),
               "doubtful");
  EXPECT_STREQ(severity_of(env({{"/build/sanitizers", "address"}}), "sanitizers (address)"), "bad");
  EXPECT_STREQ(severity_of(env({{"/build/optimised", false}, {"/build/type", "Debug"}}), "(Debug)"),
               "bad");
  EXPECT_STREQ(severity_of(env({{"/build/git_sha", "abc"}, {"/build/git_dirty", true}}),
                           "from abc with changes"),
               "doubtful");
  EXPECT_STREQ(severity_of(env({{"/timer/wake_up_error_ns/p99", 60'000}}), "sleeps end late"),
               "fine");
  EXPECT_STREQ(severity_of(env({{"/timer/wake_up_error_ns/p99", 600'000}}), "sleeps end late"),
               "doubtful");
  EXPECT_STREQ(severity_of(env({{"/timer/wake_up_error_ns/p99", 6'000'000}}), "sleeps end late"),
               "bad");
  EXPECT_STREQ(severity_of(env({{"/timer/slack_ns", 4'000'000}}), "slack of 4.00ms"), "doubtful");
  EXPECT_STREQ(severity_of(env({{"/threads/possible", 500}, {"/threads/limited_by", "nproc"}}),
                           "500 threads"),
               "bad");
  EXPECT_STREQ(severity_of(env({{"/kernel/seccomp", "2"}}), "seccomp"), "doubtful");
  EXPECT_STREQ(severity_of(env({{"/pressure/memory/some/avg10", 4.0}}), "waited for memory"),
               "bad");
  EXPECT_STREQ(severity_of(env({{"/pressure/io/some/avg10", 40.0}}), "waited for a disk"),
               "doubtful");
  EXPECT_STREQ(severity_of(env({{"/load/1m", 0.01}, {"/load/runnable", 0}}), "load average"),
               "fine");

  Examination e = env({});
  e.model = e.generator;
  EXPECT_STREQ(severity_of(e, "one CPU is allowed"), "bad");
  e.model = CpuSet({0, 1});
  EXPECT_STREQ(severity_of(e, "share a CPU"), "bad");
  e = env({{"/kernel/io_uring_disabled", 2}});
  e.unavailable = {{"io_uring", "it is disabled"}};
  EXPECT_STREQ(severity_of(e, "io_uring cannot run here"), "bad");
  const auto ring = findings(e);
  EXPECT_EQ(find(ring, "io_uring cannot")->cure, "sysctl -w kernel.io_uring_disabled=0");
  e = env({});
  e.scratch.filesystem = "tmpfs";
  EXPECT_STREQ(severity_of(e, "lie in memory (tmpfs)"), "doubtful");
  e.scratch.filesystem = "nfs";
  e.scratch.direct = false;
  EXPECT_STREQ(severity_of(e, "refuses O_DIRECT"), "doubtful");
  e.results.free_bytes = 5 << 20;
  EXPECT_STREQ(severity_of(e, "5 MiB are free"), "bad");
  e.floor = noisy();
  EXPECT_STREQ(severity_of(e, "noise alone invalidates half"), "doubtful");
  NoiseSamples stolen = quiet();
  stolen.steal_ticks = 40;
  stolen.steal_percent = 10;
  e.floor = NoiseFloor(stolen);
  EXPECT_STREQ(severity_of(e, "10.00% of the CPU time was stolen"), "bad");
  // Root is not bound by the limit of locked memory.
  e = env({{"/limits/memlock/soft", 65536}});
  EXPECT_STREQ(severity_of(e, "may be locked"), "doubtful");
  e.root = true;
  EXPECT_STREQ(severity_of(e, "may be locked"), "absent");
}

TEST(Doctor, LooksAtStorageAndLeavesNothingBehind) {
  std::string pattern = (fs::temp_directory_path() / "precipice-doctor-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const Storage storage = look_at_storage(pattern + "/not/there/yet");
  EXPECT_EQ(storage.path, fs::path(pattern)) << "the nearest that exists";
  EXPECT_TRUE(storage.free_bytes.has_value());
  EXPECT_TRUE(fs::is_empty(pattern));
  fs::remove_all(pattern);
}

// ---- before and after ----

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

// ---- anonymous ----

const Secrets kSecrets{{"/home/jane", "/home/jane/work/tests"}, {"jane", "lab-pc7", "vm"}};

TEST(Anonymous, ReplacesWholeWordsOnly) {
  EXPECT_EQ(without_secrets("made by jane@lab-pc7 in /home/jane/work/tests/a", kSecrets),
            "made by (name)@(name) in (path)/a");
  EXPECT_EQ(without_secrets("kvm-clock on janet's vmx, vm_x", kSecrets),
            "kvm-clock on janet's vmx, vm_x");
  EXPECT_EQ(without_secrets("10.1.2.3:80 fe80::1 127.0.0.1 12:30:05 1.2.3", kSecrets),
            "(address):80 (address) 127.0.0.1 12:30:05 1.2.3");
}

TEST(Anonymous, KeepsWhatAnArgumentMeansAndDropsWhereItLies) {
  EXPECT_EQ(
      anonymous_argv({"/home/jane/bin/precipice", "run", "/home/jane/q.toml", "--out", "/srv/jane",
                      "--only", "cpu:work=20us", "--out=x/jane", "trace(/home/jane/t.txt)"},
                     kSecrets),
      (std::vector<std::string>{"precipice", "run", "q.toml", "--out", "DIR", "--only",
                                "cpu:work=20us", "--out=DIR", "trace(t.txt)"}));
}

TEST(Anonymous, EnvironmentKeepsOnlyOptionsOfTheKernelThatChangeANumber) {
  auto files = intel_server();
  files["/sys/class/dmi/id/product_name"] = "Jane's PC 00123";
  Json environment = machine_json(SampleFiles(files));
  environment["build"]["libraries"]["toml++"] = "3.3.0.1";
  const Json json = anonymous_environment(environment, kSecrets);
  EXPECT_EQ(json["kernel"]["command_line"], "isolcpus=2,3 mitigations=auto");
  EXPECT_TRUE(json["virtualisation"]["product"].is_null());
  EXPECT_EQ(json["build"]["libraries"]["toml++"], "3.3.0.1");
  EXPECT_EQ(json["anonymous"], true);
  EXPECT_EQ(json["cpu"], environment["cpu"]);
}

bool has_word(const std::string& text, const std::string& word) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end])))
      return true;
  }
  return false;
}

TEST(Anonymous, RunNamesNeitherHostNorUserNorPlace) {
  std::string place = (fs::temp_directory_path() / "precipice-janes-place-XXXXXX").string();
  ASSERT_NE(mkdtemp(place.data()), nullptr);
  std::ofstream(place + "/tiny.toml") << R"(schema = 1
name = "tiny"
seed = 1
blocks = 1
slo = "p99 < 500ms"
[load]
window = "50ms"
coarse_window = "20ms"
warmup = "10ms"
drain = "100ms"
[search]
refine = [0.9]
overload = []
grid = []
repeats = 0
[[model]]
use = "oracle"
mean = "2ms"
[[workload]]
use = "empty"
)";
  const std::string command = "cd " + place + " && USER=jane-secret-user HOME=" + place +
                              "/home-of-jane PRECIPICE_SCRATCH=" + place +
                              "/scratch timeout 120 " PRECIPICE_BINARY " run " + place +
                              "/tiny.toml --anonymous --force --out " + place +
                              "/results >out.txt 2>err.txt </dev/null";
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  // 3 where the machine is too busy for a valid trial: the files are there all the same.
  const std::string errors = [&] {
    std::ifstream file(place + "/err.txt");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3) << errors;
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::vector<std::string> names = {host, "jane-secret-user"};
  if (const passwd* user = getpwuid(getuid()); user != nullptr) names.emplace_back(user->pw_name);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(place + "/results")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(text.find(place), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("home-of-jane"), std::string::npos) << entry.path();
    for (const std::string& name : names)
      EXPECT_FALSE(!name.empty() && has_word(text, name)) << name << " in " << entry.path();
  }
  EXPECT_GE(files, 5) << errors;
  fs::remove_all(place);
}

}  // namespace
}  // namespace precipice
