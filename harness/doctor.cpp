#include "harness/doctor.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "harness/environment.hpp"
#include "harness/host_watch.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

class Findings {
 public:
  void fine(std::string what) { list.push_back({Severity::fine, std::move(what), "", ""}); }
  void doubtful(std::string what, std::string effect, std::string cure) {
    list.push_back({Severity::doubtful, std::move(what), std::move(effect), std::move(cure)});
  }
  void bad(std::string what, std::string effect, std::string cure) {
    list.push_back({Severity::bad, std::move(what), std::move(effect), std::move(cure)});
  }
  std::vector<Finding> list;
};

void look_at_cpus(Findings& f, const CpuSet& cpus) {
  if (cpus.size() == 1) {
    f.bad("one CPU is allowed: generator and model share it",
          "the generator sleeps between arrivals instead of spinning; small latencies are its own",
          "allow at least 2 CPUs (taskset, cpuset of the container)");
  } else {
    f.fine(fmt::format("{} CPUs are allowed ({})", cpus.size(), cpus.to_string()));
  }
  if (const auto limit = cgroup_cpu_limit(); limit && *limit < static_cast<double>(cpus.size())) {
    f.bad(
        fmt::format("the cgroup grants {:.2f} CPUs of time, on {} CPUs", *limit, cpus.size()),
        "throttling stalls everything for tens of milliseconds at a time; such trials are invalid",
        "raise the CPU quota, or run outside the container");
  }
  if (const auto smt = first_line("/sys/devices/system/cpu/smt/active"); smt && *smt == "1") {
    f.doubtful("SMT is on: two of the CPUs may be one core",
               "the generator's spinning slows the model on its sibling",
               "choose --generator-cpus and --model-cpus on different cores");
  }
}

void look_at_clock(Findings& f) {
  const auto clock = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (!clock) return;
  if (*clock == "tsc" || *clock == "kvm-clock" || *clock == "arch_sys_counter" ||
      clock->starts_with("hyperv")) {
    f.fine(fmt::format("the clock is {}: read without a system call", *clock));
  } else {
    f.bad(fmt::format("the clock is {}", *clock),
          "every time stamp costs a system call, about a microsecond on each request",
          "boot with clocksource=tsc, or tsc=reliable where the host keeps it steady");
  }
}

void look_at_frequency(Findings& f) {
  const auto governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (!governor) {
    f.fine("the frequency governor is not visible (a virtual machine, most likely)");
  } else if (*governor == "performance") {
    f.fine("the frequency governor is performance");
  } else {
    f.doubtful(fmt::format("the frequency governor is {}", *governor),
               "light load is measured at a lower clock than heavy load: latencies below the cliff "
               "look longer",
               "cpupower frequency-set -g performance");
  }
  const auto boost = first_line("/sys/devices/system/cpu/cpufreq/boost");
  const auto no_turbo = first_line("/sys/devices/system/cpu/intel_pstate/no_turbo");
  if ((boost && *boost == "1") || (no_turbo && *no_turbo == "0")) {
    f.doubtful("boost is on", "compute slows as the package warms; blocks differ",
               "switch boost off for comparisons, or rely on ratios to the block's own ideal");
  }
}

void look_at_limits(Findings& f) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 65536) {
    const bool may = limit.rlim_max >= 65536;
    f.doubtful(fmt::format("at most {} open files", limit.rlim_cur),
               "rpc and file with many connections fail or shed (descriptors)",
               may ? "ulimit -n 65536" : "raise nofile in /etc/security/limits.conf, log in again");
  } else {
    f.fine(fmt::format("{} open files are allowed", limit.rlim_cur));
  }
  std::uint64_t threads = ~std::uint64_t{0};
  std::string which;
  const auto take = [&](std::string name, std::uint64_t value) {
    if (value < threads) {
      threads = value;
      which = std::move(name);
    }
  };
  getrlimit(RLIMIT_NPROC, &limit);
  if (limit.rlim_cur != RLIM_INFINITY) take("ulimit -u", limit.rlim_cur);
  const auto sysctl = [&](const char* path, std::string name, std::uint64_t divisor) {
    if (const auto line = first_line(path))
      take(std::move(name), std::strtoull(line->c_str(), nullptr, 10) / divisor);
  };
  sysctl("/proc/sys/kernel/pid_max", "kernel.pid_max", 1);
  sysctl("/proc/sys/kernel/threads-max", "kernel.threads-max", 1);
  sysctl("/proc/sys/vm/max_map_count", "vm.max_map_count, two maps a thread", 2);
  const std::string text = fmt::format("about {} threads are possible ({})", threads, which);
  if (threads < 10000) {
    f.doubtful(text, "thread_per_request sheds past this many requests in flight",
               fmt::format("raise {}", which));
  } else {
    f.fine(text);
  }
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (8u << 20)) {
    f.doubtful(fmt::format("{} bytes may be locked in memory", limit.rlim_cur),
               "io_uring may be refused registered buffers and runs without them",
               "ulimit -l 65536");
  }
}

void look_at_models(Findings& f) {
  for (const ModelInfo& model : models()) {
    if (const auto why = model.unavailable()) {
      f.doubtful(fmt::format("{} cannot run here: {}", model.name, *why),
                 "its series are left out of every suite", "");
    } else if (model.name == "io_uring") {
      f.fine("io_uring is available");
    }
  }
}

void look_at_neighbours(Findings& f) {
  if (const auto pressure = first_line("/proc/pressure/cpu")) {
    const std::size_t at = pressure->find("avg10=");
    const double share =
        at == std::string::npos ? 0 : std::strtod(pressure->c_str() + at + 6, nullptr);
    if (share > 5) {
      f.doubtful(
          fmt::format("in the last 10 s something waited for a CPU {:.0f}% of the time", share),
          "other programs run here; they stall generator and model alike",
          "stop them, or give precipice CPUs of its own");
    }
  }
}

void look_at_stalls(Findings& f, Diagnosis& diagnosis, double steal_percent) {
  std::int64_t longest = 0;
  for (const StallFloor& stall : diagnosis.stalls) longest = std::max(longest, stall.longest_ns);
  // A trial is invalid when a stall exceeds half its SLO; the default SLO is 10 S.
  diagnosis.smallest_slo = Nanos(2 * longest);
  diagnosis.smallest_service = Nanos(longest / 5);
  const auto readable = [](std::int64_t ns) { return format_duration(Nanos(ns / 1000 * 1000)); };
  const std::string what = fmt::format(
      "the longest stall in {:.1f} s was {}: SLOs from {}, and S from {} with the default SLO, can "
      "be resolved",
      diagnosis.watched_s, readable(longest), readable(2 * longest), readable(longest / 5));
  const std::string effect =
      "trials whose SLO is smaller are mostly marked invalid (host) and repeated";
  const std::string cure =
      "measure longer requests here, or use a machine of one's own; isolcpus and nohz_full help";
  if (longest > 5'000'000)
    f.bad(what, effect, cure);
  else if (longest > 500'000)
    f.doubtful(what, effect, cure);
  else
    f.fine(what);
  if (steal_percent > 1) {
    f.bad(fmt::format("{:.1f}% of the CPU time was stolen by the host", steal_percent),
          "saturation drops and tails grow by an amount that changes from minute to minute",
          "use a machine with dedicated CPUs");
  } else {
    f.fine(fmt::format("{:.1f}% of the CPU time was stolen by the host", steal_percent));
  }
}

const char* name_of(Severity severity) {
  constexpr const char* names[] = {"bad", "doubtful", "fine"};
  return names[static_cast<int>(severity)];
}

}  // namespace

Diagnosis diagnose(const CpuSet& cpus, Nanos watch) {
  Diagnosis diagnosis;
  diagnosis.watched_s = std::chrono::duration<double>(watch).count();
  std::vector<std::unique_ptr<HostWatch>> watches;
  for (const int cpu : cpus.list()) watches.push_back(std::make_unique<HostWatch>(CpuSet({cpu})));
  const Time begin = Clock::now();
  std::this_thread::sleep_until(begin + watch);
  double steal_percent = 0;
  for (std::size_t i = 0; i < watches.size(); ++i) {
    const HostReport report = watches[i]->end(begin, begin + watch);
    diagnosis.stalls.push_back({cpus.list()[i], report.hiccup_max_ns});
    steal_percent = std::max(steal_percent, report.steal_percent);
  }
  Findings f;
  look_at_stalls(f, diagnosis, steal_percent);
  look_at_cpus(f, cpus);
  look_at_clock(f);
  look_at_frequency(f);
  look_at_neighbours(f);
  look_at_limits(f);
  look_at_models(f);
  std::stable_sort(f.list.begin(), f.list.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  diagnosis.findings = std::move(f.list);
  diagnosis.fit = std::none_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                               [](const Finding& x) { return x.severity == Severity::bad; });
  return diagnosis;
}

Json to_json(const Diagnosis& diagnosis) {
  Json json = {{"schema", kSchema},
               {"fit", diagnosis.fit},
               {"smallest_slo_ns", diagnosis.smallest_slo.count()},
               {"smallest_service_ns", diagnosis.smallest_service.count()},
               {"watched_s", diagnosis.watched_s}};
  Json& findings = json["findings"] = Json::array();
  for (const Finding& finding : diagnosis.findings) {
    findings.push_back({{"severity", name_of(finding.severity)},
                        {"what", finding.what},
                        {"effect", finding.effect},
                        {"cure", finding.cure}});
  }
  Json& stalls = json["stalls"] = Json::array();
  for (const StallFloor& stall : diagnosis.stalls)
    stalls.push_back({{"cpu", stall.cpu}, {"longest_ns", stall.longest_ns}});
  json["environment"] = environment_json();
  return json;
}

std::string to_text(const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& finding : diagnosis.findings) {
    text += fmt::format("{:<9} {}\n", name_of(finding.severity), finding.what);
    if (!finding.effect.empty()) text += fmt::format("          effect: {}\n", finding.effect);
    if (!finding.cure.empty()) text += fmt::format("          do: {}\n", finding.cure);
  }
  text += "\nlongest stall by CPU:";
  for (const StallFloor& stall : diagnosis.stalls)
    text += fmt::format("  {}: {:.3f} ms", stall.cpu, static_cast<double>(stall.longest_ns) / 1e6);
  text += diagnosis.fit
              ? "\nFit to measure on, within what is said above.\n"
              : "\nNot fit for small latencies: see what is bad above. Invalid trials will "
                "be marked and repeated.\n";
  return text;
}

}  // namespace precipice
