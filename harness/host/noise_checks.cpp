// What the rest of the world does to a number: the host, neighbours, the kernel's own work.
#include <fmt/format.h>

#include <algorithm>

#include "harness/format.hpp"
#include "harness/host/doctor_checks.hpp"
#include "harness/host/examination.hpp"
#include "harness/json.hpp"

namespace precipice {
namespace {

std::string time_text(std::int64_t ns) { return short_time(static_cast<double>(ns)); }

void check_floor(const Examination& e, Findings& f) {
  const NoiseFloor& floor = e.floor;
  const double window_s = std::chrono::duration<double>(e.window).count();
  const double steal = floor.steal_percent();
  const std::string stolen = fmt::format("{:.2f}% of the CPU time was stolen by the host", steal);
  constexpr const char* kStealWhy =
      "saturation drops by that much, tails grow by more, and both change from minute to minute; a "
      "trial that loses more than one tick per CPU-second is invalid (measured)";
  constexpr const char* kStealCure = "use a machine or an instance type with dedicated CPUs";
  if (floor.lost_to_steal() || steal > 1)
    f.bad(80 + steal, stolen, kStealWhy, kStealCure);
  else if (steal > 0)
    f.doubtful(10, stolen, kStealWhy, kStealCure);
  else if (steal == 0)
    f.fine("no CPU time was stolen by the host");
  if (!floor.not_judged().empty()) {
    f.doubtful(5, fmt::format("not judged, as it is not shown here: {}", floor.not_judged()),
               "trials that it disturbs count as valid",
               "in a container: one with the host's /proc and /sys/fs/cgroup in it");
  }

  const auto slo = floor.smallest_slo(e.window);
  const auto service = floor.smallest_service(e.window);
  if (slo && service) {
    std::int64_t longest = 0;
    for (const auto& stall : floor.longest_stalls()) longest = std::max(longest, stall.longest_ns);
    const std::string what = fmt::format(
        "noise alone invalidates half of the trials whose SLO is below {}, that is S below {} with "
        "the default SLO of 10 S and windows of {:g} s (in {:.1f} s: longest stall {}, generator "
        "late by {} at p99 and {} at most)",
        time_text(slo->count()), time_text(service->count()), window_s, floor.watched_s(),
        time_text(longest), time_text(floor.self_lag_p99_ns()), time_text(floor.self_lag_max_ns()));
    const std::string why =
        "such trials are marked invalid (host or generator) and repeated; below half of that "
        "hardly "
        "any is valid (measured)";
    // Stalls of the host are seen by the watch too, lateness because of neighbours only by the
    // generator.
    const bool neighbours = floor.self_lag_p99_ns() > std::max<std::int64_t>(50'000, longest);
    const std::string cure = fmt::format(
        "{}measure requests of at least {}, or boot with isolcpus=, nohz_full= and rcu_nocbs= for "
        "the chosen CPUs, or use a machine of one's own",
        neighbours ? "stop what else runs on these CPUs (top shows which); or " : "",
        time_text(service->count()));
    // Above 1 ms most of the workloads that suites use are out of reach, above 0.1 ms the short
    // ones.
    if (*service > std::chrono::milliseconds(1))
      f.bad(85, what, why, cure);
    else if (*service > std::chrono::microseconds(100))
      f.doubtful(45, what, why, cure);
    else
      f.fine(what);
  }
  if (const std::uint64_t periods = floor.throttled_periods().value_or(0); periods > 0) {
    f.bad(
        95,
        fmt::format("the cgroup's quota throttled this process in {} periods while it was watched",
                    periods),
        "trials that meet it are invalid (measured)", "raise the CPU quota of the container");
  } else if (number_at(*e.environment, {"cgroup", "throttling", "throttled_periods"}) > 0) {
    f.doubtful(
        20,
        fmt::format("the cgroup's quota has throttled it in {:.0f} periods before",
                    number_at(*e.environment, {"cgroup", "throttling", "throttled_periods"})),
        "a busy trial may be throttled again, and is invalid then",
        "raise the CPU quota of the container");
  }
}

CpuSet chosen(const Examination& e) {
  std::vector<int> cpus = e.generator.list();
  cpus.insert(cpus.end(), e.model.list().begin(), e.model.list().end());
  return CpuSet(std::move(cpus));
}

/// The watch has seen that next to nobody else ran there.
bool free_of_others(const Examination& e) {
  const OtherProcesses& others = e.floor.others();
  return others.elapsed_ns > 0 && others.took_ns <= others.bound_ns();
}

void check_neighbours(const Examination& e, Findings& f) {
  const Json& environment = *e.environment;
  constexpr const char* kCure =
      "stop them (top shows which), or give precipice CPUs of its own: "
      "taskset, a cpuset, isolcpus=";
  constexpr const char* kWhy =
      "whatever else runs takes its share of the CPUs: a neighbour that is always busy on a "
      "model's "
      "CPU halves that CPU's capacity (known of the fair scheduler)";
  const OtherProcesses& others = e.floor.others();
  if (others.exceeded()) {
    f.bad(71,
          fmt::format("other processes used {:.0f}% of a CPU on CPUs {} while they were watched",
                      100 * others.took_ns / others.elapsed_ns, chosen(e).to_string()),
          kWhy, kCure);
  }
  // Load and pressure are the whole machine's.
  const bool elsewhere = free_of_others(e);
  const auto cpus = static_cast<double>(chosen(e).size());
  const double runnable = number_at(environment, {"load", "runnable"});
  const double load = number_at(environment, {"load", "1m"});
  const std::string what =
      fmt::format("the load average is {:.2f}, and {:.0f} other tasks are runnable{}", load,
                  runnable, elsewhere ? ": not on the CPUs chosen here" : "");
  if (load <= 0.1 * cpus || (load >= 0 && elsewhere))
    f.fine(what);
  else if (load > 0.5 * cpus && runnable != 0)
    f.bad(70, what, kWhy, kCure);
  else if (load > 0.1 * cpus)
    f.doubtful(runnable != 0 ? 30 : 10, what, kWhy, kCure);

  const auto pressure = [&](const char* resource) {
    return number_at(environment, {"pressure", resource, "some", "avg10"});
  };
  if (const double share = pressure("cpu"); share > 5) {
    const std::string waited = fmt::format(
        "in the last 10 s something waited for a CPU {:.0f}% of the time (pressure)", share);
    if (elsewhere)
      f.fine(waited + ": not on the CPUs chosen here");
    else if (share > 25)
      f.bad(65, waited, kWhy, kCure);
    else
      f.doubtful(28, waited, kWhy, kCure);
  }
  if (const double share = pressure("memory"); share > 1) {
    f.bad(60, fmt::format("something waited for memory {:.0f}% of the last 10 s (pressure)", share),
          "reclaiming memory stalls threads for milliseconds", "free memory, or raise its limit");
  }
  if (const double share = pressure("io"); share > 5) {
    f.doubtful(
        26, fmt::format("something waited for a disk {:.0f}% of the last 10 s (pressure)", share),
        "the file workload competes for the disk, and the journal's fsync takes longer",
        "stop what reads and writes (iotop shows which)");
  }
}

void check_memory(const Examination& e, Findings& f) {
  const Json& environment = *e.environment;
  constexpr double kMiB = 1 << 20;
  const double used = number_at(environment, {"memory", "SwapTotal_bytes"}) -
                      number_at(environment, {"memory", "SwapFree_bytes"});
  if (used > kMiB) {
    f.doubtful(22, fmt::format("{:.0f} MiB are in swap", used / kMiB),
               "a request that touches a swapped page waits for a disk, for milliseconds",
               "swapoff -a (when the memory suffices), or sysctl -w vm.swappiness=1");
  }
  if (text_at(environment, {"memory", "transparent_hugepages"}) == "always") {
    f.doubtful(4, "transparent huge pages are always used",
               "large tables and many frames get faster, and compaction stalls a thread for a "
               "millisecond or so now and then (known); memory per thread looks larger",
               "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  }
  if (number_at(environment, {"kernel", "ksm"}) == 1) {
    f.doubtful(3, "the kernel merges equal pages (KSM)", "its thread takes CPU time in bursts",
               "echo 0 > /sys/kernel/mm/ksm/run");
  }
}

void check_timers(const Examination& e, Findings& f) {
  const Json& environment = *e.environment;
  const Json late = at(environment, {"timer", "wake_up_error_ns"});
  const double p50 = number_at(late, {"p50"}), p99 = number_at(late, {"p99"}),
               longest = number_at(late, {"max"});
  const std::string what = fmt::format("sleeps end late by {} (p50), {} (p99), {} (max)",
                                       short_time(p50), short_time(p99), short_time(longest));
  constexpr const char* kWhy =
      "every wait that ends by a timer is that much longer: sleep, rpc's backend, and a generator "
      "that cannot spin (measured)";
  constexpr const char* kCure =
      "cpupower idle-set -D 10 and the performance governor; on a virtual machine nothing but "
      "another host";
  if (p99 > 1e6)
    f.bad(55, what, kWhy, kCure);
  else if (p99 > 2e5)
    f.doubtful(24, what, kWhy, kCure);
  else if (p99 >= 0)
    f.fine(what);
  constexpr double kDefaultSlackNs = 50'000;
  if (const double slack = number_at(environment, {"timer", "slack_ns"}); slack > kDefaultSlackNs) {
    f.doubtful(8, fmt::format("timers of this process have a slack of {}", short_time(slack)),
               "the generator and the watch ask for none themselves; waits inside models may end "
               "that much later",
               "start precipice from a shell of its own, not from a service with "
               "TimerSlackNSec= set");
  }
  if (number_at(environment, {"kernel", "nmi_watchdog"}) == 1) {
    f.doubtful(1, "the NMI watchdog runs", "it interrupts every CPU a little, and takes a counter",
               "sysctl -w kernel.nmi_watchdog=0");
  }
}

void check_virtual(const Examination& e, Findings& f) {
  const Json& environment = *e.environment;
  const std::string type = text_at(environment, {"virtualisation", "hypervisor"});
  if (at(environment, {"virtualisation", "hypervisor_flag"}) == Json(true) || !type.empty()) {
    f.doubtful(18,
               fmt::format("this is a virtual machine{}", type.empty() ? "" : " (" + type + ")"),
               "waking an idle CPU leaves the guest and costs 30 to 40 us (known), so that models "
               "which sleep and wake often look worse than on bare metal; neighbours on the host "
               "are not visible from inside",
               "compare runs of one machine; check steal and the floor above; publish with "
               "environment.before.json");
  }
}

}  // namespace

void check_noise(const Examination& examination, Findings& findings) {
  check_floor(examination, findings);
  check_neighbours(examination, findings);
  check_memory(examination, findings);
  check_timers(examination, findings);
  check_virtual(examination, findings);
}

}  // namespace precipice
