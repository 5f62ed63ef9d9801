// What the CPUs and their settings do to a number.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/host/doctor_checks.hpp"
#include "harness/host/examination.hpp"
#include "harness/host/proc_text.hpp"
#include "harness/json.hpp"

namespace precipice {
namespace {

void check_shares(const Examination& e, Findings& f) {
  std::vector<int> all = e.generator.list();
  all.insert(all.end(), e.model.list().begin(), e.model.list().end());
  const CpuSet cpus(all);
  bool shared = false;
  for (const int cpu : e.generator.list()) shared = shared || e.model.contains(cpu);
  if (cpus.size() == 1) {
    f.bad(100, "one CPU is allowed: generator and model share it",
          "the generator sleeps between arrivals instead of spinning, so latencies below its "
          "wake-up error are its own, and its work is missing from the model's capacity",
          "allow at least 2 CPUs: taskset -c 0-1 precipice ..., or the container's cpuset");
  } else if (shared) {
    f.bad(90, "the generator and the model share a CPU",
          "the generator sleeps between arrivals instead of spinning, so latencies below its "
          "wake-up error are its own, and its work is missing from the model's capacity",
          "leave --generator-cpus and --model-cpus away, or name sets that have no CPU in common");
  } else {
    f.fine(fmt::format("generator on CPU {}, model on {}", e.generator.to_string(),
                       e.model.to_string()));
    if (e.model.size() == 1)
      f.doubtful(15, "the model has one CPU",
                 "contention between a model's threads on different CPUs, which is where models "
                 "differ most, does not occur; rpc's backend shares the generator's CPU",
                 "use a machine with more CPUs for claims about scaling");
  }
  if (const double limit = number_at(*e.environment, {"cgroup", "cpu_limit"});
      limit < static_cast<double>(cpus.size())) {
    f.bad(
        95, fmt::format("the cgroup grants {:.2f} CPUs of time, on {} CPUs", limit, cpus.size()),
        "when the quota is spent everything stands still to the end of the period, 100 ms by "
        "default; such trials are invalid",
        "docker update --cpus N CONTAINER, systemctl set-property UNIT CPUQuota=, or no CPU limit "
        "in the pod's specification");
  }
}

void check_scheduling(const Examination& e, Findings& f) {
  const std::string policy = text_at(*e.environment, {"scheduling", "policy"});
  const double nice = number_at(*e.environment, {"scheduling", "nice"});
  if (policy == "SCHED_FIFO" || policy == "SCHED_RR") {
    const double period = number_at(*e.environment, {"scheduling", "rt_period_us"});
    const double pause = period - number_at(*e.environment, {"scheduling", "rt_runtime_us"});
    const bool bounded = pause > 0 && pause <= period;
    f.bad(75,
          fmt::format("this process runs under {} at priority {:.0f}", policy,
                      number_at(*e.environment, {"scheduling", "priority"})),
          fmt::format("a model's threads share a CPU otherwise than in service, {}",
                      bounded ? fmt::format("and the kernel keeps real-time threads off a busy CPU "
                                            "for {:g} ms of each {:g} ms: trials that meet it are "
                                            "invalid (sched(7))",
                                            pause / 1e3, period / 1e3)
                              : "and may keep the kernel's own threads from running (sched(7))"),
          "start precipice without chrt");
  } else if (policy == "SCHED_DEADLINE") {
    f.bad(96, "this process runs under SCHED_DEADLINE",
          "its threads can make no others, so no model starts (sched(7))",
          "start precipice without chrt -d");
  } else if (policy == "SCHED_IDLE") {
    f.bad(74, "this process runs under SCHED_IDLE",
          "whatever else wants a CPU takes nearly all of it (sched(7))",
          "start precipice without chrt -i");
  } else if (policy == "SCHED_BATCH") {
    f.doubtful(26, "this process runs under SCHED_BATCH",
               "a thread that wakes waits for the one that runs, so that response times grow by up "
               "to a time slice (sched(7))",
               "start precipice without chrt -b");
  }
  if (nice > 0) {
    f.doubtful(27, fmt::format("this process has a niceness of {:.0f}", nice),
               "each step gives a neighbour on its CPU about a tenth more of it (sched(7))",
               "start precipice without nice");
  } else if (nice < 0) {
    f.doubtful(7, fmt::format("this process has a niceness of {:.0f}", nice),
               "it takes more than its share of a CPU from others, which services do not",
               "start precipice without nice");
  }
  if (policy == "SCHED_OTHER" && nice == 0)
    f.fine("the scheduling policy is the default one, SCHED_OTHER with a niceness of 0");
}

/// `--generator-cpus A --model-cpus B` with no core in common, or "" where there is one core only.
std::string separate_cores(const Examination& e, const std::vector<std::vector<int>>& cores) {
  std::vector<int> all = e.generator.list();
  all.insert(all.end(), e.model.list().begin(), e.model.list().end());
  const CpuSet allowed(all);
  std::vector<int> generator, model;
  for (const std::vector<int>& core : cores) {
    std::vector<int> usable;
    for (const int cpu : core) {
      if (allowed.contains(cpu)) usable.push_back(cpu);
    }
    if (usable.empty()) continue;
    if (generator.empty()) {
      generator = {usable.front()};
    } else {
      model.push_back(usable.front());
    }
  }
  if (model.empty()) return "";
  return fmt::format("--generator-cpus {} --model-cpus {}", CpuSet(generator).to_string(),
                     CpuSet(model).to_string());
}

void check_cores(const Examination& e, Findings& f) {
  std::vector<std::vector<int>> cores;
  if (const Json list = at(*e.environment, {"cpu", "cores"}); list.is_array()) {
    for (const Json& core : list) {
      if (core.is_string()) cores.push_back(cpu_numbers(core.get<std::string>()));
    }
  }
  std::sort(cores.begin(), cores.end());
  bool across = false, within = false;
  for (const std::vector<int>& core : cores) {
    const auto has = [&](const CpuSet& set) {
      return std::count_if(core.begin(), core.end(), [&](int cpu) { return set.contains(cpu); });
    };
    across = across || (core.size() > 1 && has(e.generator) > 0 && has(e.model) > 0);
    within = within || has(e.model) > 1;
  }
  const std::string apart = separate_cores(e, cores);
  if (across) {
    f.doubtful(40, "the generator and the model run on hardware threads of one core",
               "the generator spins before every arrival, and its sibling then has about half a "
               "core: capacity falls by 20 to 50%, the more the higher the rate (known of SMT)",
               apart.empty() ? "use a machine with more cores" : apart);
  }
  if (within) {
    f.doubtful(25, "two of the model's CPUs are hardware threads of one core",
               "two such threads do the work of about 1.3 cores, so that the ideal of c / S is out "
               "of reach for every model alike (known of SMT)",
               apart.empty() ? "echo off > /sys/devices/system/cpu/smt/control" : apart);
  }
  std::set<std::string> generator_nodes, model_nodes;
  if (const Json nodes = at(*e.environment, {"cpu", "numa"}); nodes.is_object()) {
    for (const auto& [node, description] : nodes.items()) {
      for (const int cpu : cpu_numbers(text_at(description, {"cpus"}))) {
        if (e.generator.contains(cpu)) generator_nodes.insert(node);
        if (e.model.contains(cpu)) model_nodes.insert(node);
      }
    }
  }
  if (model_nodes.size() > 1 || (!model_nodes.empty() && generator_nodes != model_nodes)) {
    f.doubtful(15, "the chosen CPUs lie on several NUMA nodes",
               "queues and frames are reached across the interconnect, at 1.5 to 3 times the cost "
               "of local memory (known); which ones changes from run to run",
               "choose --generator-cpus and --model-cpus on one node (lscpu shows which)");
  }
  if (number_at(*e.environment, {"kernel", "numa_balancing"}) > 0 && model_nodes.size() > 1) {
    f.doubtful(5, "the kernel moves pages between NUMA nodes by itself",
               "sampled page faults stall threads at times that nobody chose",
               "sysctl -w kernel.numa_balancing=0");
  }
}

void check_frequency(const Examination& e, Findings& f) {
  const std::string governor = text_at(*e.environment, {"cpu", "governor"});
  if (governor.empty()) {
    f.fine("the frequency governor is not visible (a virtual machine, most likely)");
  } else if (governor == "performance") {
    f.fine("the frequency governor is performance");
  } else {
    const double ratio = number_at(*e.environment, {"cpu", "max_khz"}) /
                         number_at(*e.environment, {"cpu", "min_khz"});
    f.doubtful(60, fmt::format("the frequency governor is {}", governor),
               ratio > 1
                   ? fmt::format("light load may be measured at a clock up to {:.1f} times lower "
                                 "than heavy load (from this CPU's limits): latencies below the "
                                 "cliff look longer",
                                 ratio)
                   : "light load is measured at a lower clock than heavy load: latencies below the "
                     "cliff look longer",
               "cpupower frequency-set -g performance");
  }
  if (at(*e.environment, {"cpu", "boost"}) == Json(true)) {
    const bool intel = text_at(*e.environment, {"cpu", "driver"}).starts_with("intel");
    f.doubtful(20, "boost is on",
               "the clock depends on how many CPUs are busy and how warm they are, by 10 to 40% "
               "(known): one busy model CPU runs faster than all of them, and blocks drift",
               intel ? "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
                     : "echo 0 > /sys/devices/system/cpu/cpufreq/boost");
  }
  const double exit_us = number_at(*e.environment, {"cpu", "idle_deepest", "exit_latency_us"});
  if (exit_us > 50) {
    f.doubtful(12,
               fmt::format("idle CPUs sleep so deeply ({}) that waking takes {:.0f} us",
                           text_at(*e.environment, {"cpu", "idle_deepest", "name"}), exit_us),
               "latency at light load contains it, and falls as load rises (the kernel's own "
               "figure)",
               "cpupower idle-set -D 10");
  }
}

void check_clock(const Examination& e, Findings& f) {
  const std::string clock = text_at(*e.environment, {"kernel", "clock_source"});
  if (clock.empty()) return;
  if (clock == "tsc" || clock == "kvm-clock" || clock == "arch_sys_counter" ||
      clock.starts_with("hyperv")) {
    f.fine(fmt::format("the clock is {}: read without a system call", clock));
    return;
  }
  const std::vector<std::string> others =
      words_of(text_at(*e.environment, {"kernel", "clock_sources"}));
  const bool tsc = std::find(others.begin(), others.end(), "tsc") != others.end();
  f.bad(50, fmt::format("the clock is {}", clock),
        "every time stamp costs a system call, about a microsecond (known), and a request takes "
        "four of them",
        tsc ? "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource"
            : "boot with clocksource=tsc, or tsc=reliable where the host keeps it steady");
}

void check_mitigations(const Examination& e, Findings& f) {
  const Json flaws = at(*e.environment, {"cpu", "mitigations"});
  if (!flaws.is_object() || flaws.empty()) return;
  std::vector<std::string> paid;
  for (const auto& [name, state] : flaws.items()) {
    // "Mitigation: ..." costs time; "Not affected" and "Vulnerable" do not.
    if (state.is_string() && state.get<std::string>().find("Mitigation") != std::string::npos)
      paid.push_back(name);
  }
  if (paid.empty()) {
    f.fine("no mitigation of a CPU flaw costs time here");
    return;
  }
  f.doubtful(6, fmt::format("{} CPU flaws are mitigated: {}", paid.size(), fmt::join(paid, ", ")),
             "every system call and context switch costs more, so that models which make more of "
             "them lose more: 2 to 30% by CPU generation (known), the same in every run here",
             "compare only runs whose environment.before.json agrees on it; booting with "
             "mitigations=off is for machines that run nothing else");
}

}  // namespace

void check_processors(const Examination& examination, Findings& findings) {
  check_shares(examination, findings);
  check_cores(examination, findings);
  check_scheduling(examination, findings);
  check_frequency(examination, findings);
  check_clock(examination, findings);
  check_mitigations(examination, findings);
}

}  // namespace precipice
