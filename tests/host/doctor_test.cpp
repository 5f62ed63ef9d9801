// The judgements of doctor, on a machine of sample files.
#include "harness/host/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/host/examination.hpp"
#include "harness/host/machine.hpp"
#include "harness/json.hpp"
#include "tests/support/noise_samples.hpp"
#include "tests/support/sample_files.hpp"
#include "tests/support/sample_server.hpp"

namespace precipice {
namespace {

using testing::intel_server;
using testing::quiet;
using testing::SampleFiles;
using testing::stall;

/// Stalls of 4.5 ms, 38 in 2 s: a window of half a second is clean once in 33,000.
NoiseFloor noisy() {
  NoiseSamples samples = quiet();
  for (int i = 0; i < 38; ++i) stall(samples, 0, 50 * i + 7, 4'500'000);
  return NoiseFloor(samples);
}

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

}  // namespace
}  // namespace precipice
