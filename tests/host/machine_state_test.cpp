// What is said of the machine before anything is measured on it: how it schedules the process, who
// else runs on its CPUs, what it does not show.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/capacity/record.hpp"
#include "harness/host/doctor.hpp"
#include "harness/host/examination.hpp"
#include "harness/host/machine.hpp"
#include "harness/host/scheduling.hpp"
#include "harness/json.hpp"
#include "harness/store/summary_files.hpp"
#include "harness/store/trial_json.hpp"
#include "tests/support/sample_files.hpp"

namespace precipice {
namespace {

using testing::SampleFiles;

/// /proc/self/stat of a process whose name is not easy to read past.
std::string stat_text(int nice, int priority, int policy) {
  std::string text = "4711 (a) R (b c) S 1 4711 4711 0 -1 4194304 0 0 0 0 0 0 0 0 20";  // to 18
  text += " " + std::to_string(nice);
  for (int field = 20; field < 40; ++field) text += " 7";
  return text + " " + std::to_string(priority) + " " + std::to_string(policy) + " 0 0 0\n";
}

std::map<std::string, std::string> scheduled(int nice, int priority, int policy) {
  return {{"/proc/self/stat", stat_text(nice, priority, policy)},
          {"/proc/sys/kernel/sched_rt_runtime_us", "950000\n"},
          {"/proc/sys/kernel/sched_rt_period_us", "1000000\n"}};
}

TEST(Scheduling, IsReadWithItsBoundOnRealTimeThreads) {
  const auto fifo = scheduling_of(SampleFiles(scheduled(0, 10, 1)));
  ASSERT_TRUE(fifo.has_value());
  EXPECT_EQ(fifo->policy_name(), "SCHED_FIFO");
  EXPECT_EQ(fifo->priority, 10);
  EXPECT_EQ(fifo->real_time_pause_ns(), 50'000'000);
  EXPECT_EQ(scheduling_of(SampleFiles(scheduled(0, 1, 2)))->policy_name(), "SCHED_RR");
  EXPECT_EQ(scheduling_of(SampleFiles(scheduled(0, 0, 6)))->policy_name(), "SCHED_DEADLINE");
  const auto other = scheduling_of(SampleFiles(scheduled(-5, 0, 0)));
  EXPECT_EQ(other->nice, -5);
  EXPECT_FALSE(other->real_time_pause_ns().has_value()) << "it binds real-time threads alone";

  auto unbounded = scheduled(0, 10, 1);
  unbounded["/proc/sys/kernel/sched_rt_runtime_us"] = "-1\n";
  EXPECT_FALSE(scheduling_of(SampleFiles(unbounded))->real_time_pause_ns().has_value());
  EXPECT_FALSE(scheduling_of(SampleFiles({})).has_value());
  EXPECT_FALSE(scheduling_of(SampleFiles(std::map<std::string, std::string>{
                                 {"/proc/self/stat", "1 (a) S 1\n"}}))
                   .has_value());
  EXPECT_TRUE(machine_json(SampleFiles({}))["scheduling"]["policy"].is_null());
  EXPECT_EQ(machine_json(SampleFiles(scheduled(0, 10, 1)))["scheduling"],
            Json::parse(R"({"policy":"SCHED_FIFO","priority":10,"nice":0,
                            "rt_runtime_us":950000,"rt_period_us":1000000})"));
}

Examination examined(const std::map<std::string, std::string>& files, NoiseFloor floor = {}) {
  Examination e;
  e.environment = std::make_shared<const Json>(machine_json(SampleFiles(files)));
  e.floor = std::move(floor);
  e.generator = CpuSet({0});
  e.model = CpuSet({1});
  return e;
}

const Finding* find(const std::vector<Finding>& found, const std::string& part) {
  for (const Finding& finding : found) {
    if (finding.what.find(part) != std::string::npos) return &finding;
  }
  return nullptr;
}

TEST(Doctor, NamesAPolicyThatIsNotTheDefault) {
  const auto said = [](int nice, int priority, int policy) {
    std::string text;
    for (const Finding& x : findings(examined(scheduled(nice, priority, policy)))) {
      if (x.what.find("SCHED_") != std::string::npos || x.what.find("nice") != std::string::npos)
        text += std::string(x.severity == Severity::bad        ? "bad: "
                            : x.severity == Severity::doubtful ? "doubtful: "
                                                               : "fine: ") +
                x.what + (x.why.find("50 ms of each 1000 ms") == std::string::npos ? "" : " (50)");
    }
    return text;
  };
  EXPECT_EQ(said(0, 10, 1), "bad: this process runs under SCHED_FIFO at priority 10 (50)");
  EXPECT_EQ(said(0, 0, 5), "bad: this process runs under SCHED_IDLE");
  EXPECT_EQ(said(0, 0, 6), "bad: this process runs under SCHED_DEADLINE");
  EXPECT_EQ(said(0, 0, 3), "doubtful: this process runs under SCHED_BATCH");
  EXPECT_EQ(said(19, 0, 0), "doubtful: this process has a niceness of 19");
  EXPECT_TRUE(said(0, 0, 0).starts_with("fine: "));
}

TEST(RemarksAtStart, SayInOneLineEachWhatDoctorKnowsToMoveAResult) {
  auto files = scheduled(0, 10, 1);
  const std::string cpu = "/sys/devices/system/cpu/";
  files[cpu + "online"] = "0-1\n";
  files[cpu + "cpu0/topology/thread_siblings_list"] = "0-1\n";
  files[cpu + "cpu1/topology/thread_siblings_list"] = "0-1\n";
  files["/proc/self/cgroup"] = "0::/a/b\n";
  files["/sys/fs/cgroup/a/cpu.max"] = "120000 100000\n";
  const std::vector<std::string> said = remarks_at_start(examined(files));
  ASSERT_EQ(said.size(), 3u);
  EXPECT_TRUE(said[0].starts_with("the cgroup grants 1.20 CPUs of time, on 2 CPUs: ")) << said[0];
  EXPECT_NE(said[0].find("quota"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("SCHED_FIFO"), std::string::npos) << said[1];
  EXPECT_NE(said[2].find("hardware threads of one core"), std::string::npos) << said[2];
  for (const std::string& line : said) EXPECT_EQ(line.find('\n'), std::string::npos);

  EXPECT_TRUE(remarks_at_start(examined(scheduled(0, 0, 0))).empty()) << "what is fine is not said";
  EXPECT_TRUE(remarks_at_start(examined({})).empty()) << "nor what is not shown";
}

/// A watch of both CPUs for 2 s in which others used this much of them.
NoiseFloor with_others(double cpus) {
  NoiseSamples samples;
  samples.watched_s = 2;
  samples.cpus = 2;
  samples.others = {cpus * 2e9, 10e6, 2e9};
  return NoiseFloor(samples);
}

TEST(Doctor, BlamesLoadOnTheChosenCpusAndNotThatOfOthers) {
  const std::map<std::string, std::string> loaded = {
      {"/proc/loadavg", "1.35 0.50 0.20 2/90 100\n"},
      {"/proc/pressure/cpu", "some avg10=32.50 avg60=7.23 avg300=5.46 total=3\n"}};
  const auto elsewhere = findings(examined(loaded, with_others(0)));
  EXPECT_EQ(find(elsewhere, "load average is 1.35")->severity, Severity::fine);
  EXPECT_NE(find(elsewhere, "load average is 1.35")->what.find("not on the CPUs chosen"),
            std::string::npos);
  EXPECT_EQ(find(elsewhere, "waited for a CPU")->severity, Severity::fine);
  EXPECT_EQ(find(elsewhere, "other processes used"), nullptr);

  const auto here = findings(examined(loaded, with_others(0.9)));
  EXPECT_EQ(find(here, "other processes used 90% of a CPU on CPUs 0-1")->severity, Severity::bad);
  EXPECT_EQ(find(here, "load average is 1.35")->severity, Severity::bad);
  const auto unwatched = findings(examined(loaded));
  EXPECT_EQ(find(unwatched, "load average is 1.35")->severity, Severity::bad);

  const auto past = findings(examined({{"/proc/loadavg", "1.35 0.50 0.20 1/90 100\n"}}));
  EXPECT_EQ(find(past, "load average is 1.35")->severity, Severity::doubtful)
      << "nothing else is runnable now";
}

TEST(Doctor, SaysWhatIsNotJudgedWhereTheKernelShowsNothing) {
  HostReport report;
  report.run_delay_known = false;
  report.cpus.push_back({0, true});
  NoiseSamples samples;
  samples.steal_percent = samples.steal_ticks = kNotShown;
  samples.not_judged = report.not_judged();
  const Examination e = examined({}, NoiseFloor(samples));
  const auto found = findings(e);
  ASSERT_NE(find(found, "not judged"), nullptr);
  for (const char* what : {"stalls", "steal", "neighbours", "throttling"})
    EXPECT_NE(find(found, "not judged")->what.find(what), std::string::npos) << what;
  EXPECT_EQ(find(found, "stolen"), nullptr) << "nobody knows";
  const Json json = to_json(e, found);
  EXPECT_TRUE(json["floor"]["steal_percent"].is_null());
  EXPECT_TRUE(json["floor"]["throttled_periods"].is_null());
  EXPECT_NE(to_text(e, found).find("longest stall by CPU:  not judged"), std::string::npos);
}

TEST(Trial, HasNullForWhatTheKernelDoesNotShow) {
  Record record;
  record.trial.request.model.name = "fixed_pool";
  record.trial.request.workload.name = "cpu";
  const Json json = to_json(record.trial);
  EXPECT_TRUE(json["peak_rss_bytes"].is_null());
  EXPECT_TRUE(json["context_switches_per_request"].is_null());
  for (const char* key : {"steal_percent", "steal_ticks", "hiccup_max_ns", "hiccup_all_ns"})
    EXPECT_TRUE(json["host"][key].is_null()) << key;
  const Trial read = trial_from_json(json);
  EXPECT_FALSE(read.peak_rss_bytes.has_value());
  EXPECT_FALSE(read.hiccup_max_ns.has_value());
  EXPECT_TRUE(std::isnan(read.steal_ticks));

  // The columns of points.csv by name.
  const auto cells = [](const std::string& line) {
    std::vector<std::string> parts(1);
    for (const char c : line) {
      if (c == ',')
        parts.emplace_back();
      else
        parts.back() += c;
    }
    return parts;
  };
  const auto names = cells(points_header()), values = cells(points_row(record));
  ASSERT_EQ(names.size(), values.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "peak_rss_bytes" || names[i] == "steal_percent" ||
        names[i] == "hiccup_max_ns") {
      EXPECT_EQ(values[i], "") << names[i];
    }
  }

  record.trial.peak_rss_bytes = 5;
  record.trial.hiccup_max_ns = 0;
  EXPECT_EQ(trial_from_json(to_json(record.trial)).peak_rss_bytes, 5u);
  EXPECT_EQ(trial_from_json(to_json(record.trial)).hiccup_max_ns, 0);
}

}  // namespace
}  // namespace precipice
