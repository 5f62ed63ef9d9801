#include "harness/host/host_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <ctime>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "harness/host/cpu_clock.hpp"
#include "harness/host/machine.hpp"
#include "harness/host/proc_stat.hpp"
#include "harness/host/scheduling.hpp"
#include "harness/host/throttling.hpp"
#include "models/new_thread.hpp"
#include "models/random.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

constexpr std::int64_t kPeriodNs = 1'000'000;
// Stalls that begin within this of each other are one event of the host.
constexpr std::int64_t kTogetherNs = 10'000'000;

// /proc/stat is read in hundredths of a second: a shorter watch may see none pass.
constexpr double kAccountedNs = 100e6;

/// Time that the calling thread has spent runnable but waiting for a CPU.
class RunDelay {
 public:
  RunDelay() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  RunDelay(const RunDelay&) = delete;
  RunDelay& operator=(const RunDelay&) = delete;
  ~RunDelay() {
    if (file_ >= 0) close(file_);
  }
  /// ns; nothing where the kernel hides it.
  std::optional<std::int64_t> read_ns() const {
    char text[96];
    const ssize_t size = file_ >= 0 ? pread(file_, text, sizeof text, 0) : -1;
    if (size <= 0) return std::nullopt;
    const auto stat = parse_schedstat({text, static_cast<std::size_t>(size)});
    return stat ? std::optional(stat->waited_ns) : std::nullopt;
  }

 private:
  int file_;
};

/// True when the calling thread now stands above every thread of the process.
bool stand_above(const Scheduling& scheduling) {
  sched_param above{};
  above.sched_priority = scheduling.priority + 1;
  return pthread_setschedparam(pthread_self(), scheduling.policy, &above) == 0;
}

/// The kernel has moved the calling thread from the only CPU that it asked for. Where it runs may
/// be made up, as by a sandbox, so the mask has to agree.
bool was_moved_from(int cpu) {
  const int here = sched_getcpu();
  return here >= 0 && here != cpu && CpuSet::of_this_thread().list() != std::vector<int>{cpu};
}

/// Everything that is counted since boot or since the process began, to take the difference of two.
struct Counters {
  std::int64_t at_ns = 0;
  std::map<int, CpuTicks> ticks;
  std::map<int, double> softirq_ns;
  double process_cpu_ns = 0, thread_cpu_ns = 0;
  std::optional<std::uint64_t> throttled;

  static Counters now(const CpuSet& cpus) {
    Counters counters;
    counters.throttled = read_throttled_periods();
    counters.softirq_ns = softirq_thread_ns(cpus);
    counters.at_ns = monotonic_ns();
    counters.ticks = read_proc_stat(cpus);
    counters.process_cpu_ns = cpu_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    counters.thread_cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return counters;
  }
};

}  // namespace

std::int64_t longest_shared_stall(const std::vector<std::vector<ProbeSleep>>& by_cpu) {
  if (by_cpu.empty()) return 0;
  std::int64_t longest = 0;
  const auto before = [](const ProbeSleep& sleep, std::int64_t at) { return sleep.due_ns < at; };
  for (const ProbeSleep& stall : by_cpu.front()) {
    std::int64_t shared = stall.stall_ns;
    for (const auto& sleeps : by_cpu) {
      if (shared <= longest) break;
      std::int64_t near = 0;
      for (auto at =
               std::lower_bound(sleeps.begin(), sleeps.end(), stall.due_ns - kTogetherNs, before);
           at != sleeps.end() && at->due_ns <= stall.due_ns + kTogetherNs; ++at) {
        near = std::max(near, at->stall_ns);
      }
      shared = std::min(shared, near);
    }
    longest = std::max(longest, shared);
  }
  return longest;
}

CpuSet HostReport::gone() const {
  std::vector<int> result;
  for (const WatchedCpu& each : cpus) {
    if (!each.probed) result.push_back(each.cpu);
  }
  return CpuSet(std::move(result));
}

std::string HostReport::not_judged() const {
  std::vector<std::string> what;
  const bool accounted = std::none_of(
      cpus.begin(), cpus.end(), [](const WatchedCpu& each) { return std::isnan(each.busy_ns); });
  if (!run_delay_known) what.emplace_back("stalls (no schedstat)");
  if (!accounted || std::isnan(steal_ticks))
    what.emplace_back("steal and neighbours (no /proc/stat)");
  if (!throttled_periods) what.emplace_back("throttling by a CPU quota (no cpu.stat)");
  if (real_time_pause_ns && !real_time_watched)
    what.emplace_back("real-time throttling (no priority above the model's)");
  return fmt::format("{}", fmt::join(what, ", "));
}

struct HostWatch::State {
  struct Probe {
    std::thread thread;
    std::vector<ProbeSleep> sleeps;  // this and the rest: read after the join
    bool pinned = false, run_delay_known = true;
    bool above = false;  // the process's other threads, which are real-time ones
    double late_ns = 0, waited_ns = 0, cpu_ns = 0, switches = 0;
    std::exception_ptr failure;  // it found no memory for what it saw
  };

  CpuSet cpus;
  std::optional<Scheduling> scheduling;
  std::vector<std::unique_ptr<Probe>> probes;  // one per CPU, in the order of the set
  std::atomic<bool> stop{false};
  std::atomic<int> starting{0};  // probes that do not watch yet
  Counters before;
  std::vector<HostStall> stalls;                  // of the span that was asked for
  std::map<int, std::vector<ProbeSleep>> sleeps;  // by CPU, of that span

  void watch(Probe& probe, int cpu) {
    try {
      pin_this_thread(CpuSet({cpu}));
    } catch (const std::exception&) {
      begun();
      return;  // without its CPU it would blame the wrong one
    }
    probe.pinned = true;
    name_this_thread("host-probe");
    remove_timer_slack();
    if (scheduling && scheduling->real_time()) probe.above = stand_above(*scheduling);
    const RunDelay delay;
    const std::optional<std::int64_t> delay_before = delay.read_ns();
    probe.run_delay_known = probe.above || delay_before.has_value();
    begun();
    try {
      sleep_again_and_again(probe, delay, delay_before.value_or(0), cpu);
    } catch (...) {
      probe.failure = std::current_exception();
    }
    probe.cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    probe.switches = static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw);
  }

  void sleep_again_and_again(Probe& probe, const RunDelay& delay, std::int64_t delay_before,
                             int cpu) {
    do {
      const std::int64_t due = monotonic_ns() + kPeriodNs;
      const timespec until{due / 1'000'000'000, due % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
      const std::int64_t late = monotonic_ns() - due;
      const std::int64_t delay_now = delay.read_ns().value_or(0);
      const std::int64_t waited = probe.above ? 0 : delay_now - delay_before;
      delay_before = delay_now;
      if (was_moved_from(cpu)) {
        probe.pinned = false;
        break;
      }
      probe.late_ns += static_cast<double>(late);
      probe.waited_ns += static_cast<double>(waited);
      probe.sleeps.push_back({due, late - waited, waited});
    } while (!stop.load(std::memory_order_relaxed));
  }

  void begun() {
    starting.fetch_sub(1);
    starting.notify_all();
  }

  void join() {
    stop = true;
    for (auto& probe : probes) {
      if (probe->thread.joinable()) probe->thread.join();
    }
  }
};

HostWatch::HostWatch(const CpuSet& cpus) : state_(std::make_unique<State>()) {
  state_->cpus = cpus;
  state_->scheduling = scheduling_of(machine_files());
  state_->before = Counters::now(cpus);
  state_->starting = static_cast<int>(cpus.size());
  for (const int cpu : cpus.list()) {
    auto& probe = *state_->probes.emplace_back(std::make_unique<State::Probe>());
    try {
      probe.thread = new_thread("the probe of CPU " + std::to_string(cpu),
                                [state = state_.get(), &probe, cpu] { state->watch(probe, cpu); });
    } catch (...) {
      state_->join();  // an abandoned std::thread would end the process
      throw_unavailable(fmt::format("the thread that watches CPU {}", cpu));
    }
  }
  // A probe that comes after the load would wait for its first turn behind all of it.
  for (int left = state_->starting; left > 0; left = state_->starting) {
    state_->starting.wait(left);
  }
}

HostWatch::~HostWatch() { state_->join(); }

HostReport HostWatch::end(Time from, Time to) {
  state_->join();
  for (const auto& probe : state_->probes) {
    if (probe->failure) std::rethrow_exception(probe->failure);
  }
  const Counters& before = state_->before;
  const Counters after = Counters::now(state_->cpus);
  const auto ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
  HostReport report;
  report.elapsed_ns = static_cast<double>(after.at_ns - before.at_ns);
  if (state_->scheduling) report.real_time_pause_ns = state_->scheduling->real_time_pause_ns();
  report.real_time_watched = true;
  double steal_ticks = 0;
  bool steal_known = false;
  std::vector<std::vector<ProbeSleep>> by_cpu;
  for (std::size_t i = 0; i < state_->probes.size(); ++i) {
    State::Probe& probe = *state_->probes[i];
    WatchedCpu& watched = report.cpus.emplace_back();
    watched.cpu = state_->cpus.list()[i];
    watched.probed = probe.pinned;
    watched.probe_cpu_ns = probe.cpu_ns;
    const auto ticks_before = before.ticks.find(watched.cpu), ticks = after.ticks.find(watched.cpu);
    if (ticks_before != before.ticks.end() && ticks != after.ticks.end() &&
        (ticks->second.all > ticks_before->second.all || report.elapsed_ns < kAccountedNs)) {
      watched.busy_ns = (ticks->second.busy - ticks_before->second.busy) * 1e9 / ticks_per_s;
      steal_ticks += ticks->second.steal - ticks_before->second.steal;
      steal_known = true;
    }
    const auto softirq_before = before.softirq_ns.find(watched.cpu);
    const auto softirq = after.softirq_ns.find(watched.cpu);
    if (softirq_before != before.softirq_ns.end() && softirq != after.softirq_ns.end() &&
        !std::isnan(watched.busy_ns)) {
      watched.busy_ns = std::max(0.0, watched.busy_ns - softirq->second + softirq_before->second);
    }
    report.probes_cpu_ns += probe.cpu_ns;
    report.probes_switches += probe.switches;
    if (!probe.pinned) continue;

    report.run_delay_known = report.run_delay_known && probe.run_delay_known;
    report.real_time_watched = report.real_time_watched && probe.above;
    report.late_ns += probe.late_ns;
    report.waited_ns += probe.waited_ns;
    std::vector<ProbeSleep>& sleeps = by_cpu.emplace_back();
    double waited_ns = 0;
    for (const ProbeSleep& sleep : probe.sleeps) {
      report.stalls_ns += static_cast<double>(sleep.stall_ns);
      const bool touches = sleep.due_ns + sleep.stall_ns >= from.time_since_epoch().count() &&
                           sleep.due_ns - kPeriodNs < to.time_since_epoch().count();
      if (!touches) continue;
      sleeps.push_back(sleep);
      waited_ns += static_cast<double>(sleep.waited_ns);
      state_->stalls.push_back({watched.cpu, sleep.due_ns - kPeriodNs, sleep.stall_ns});
      watched.hiccup_max_ns = std::max(watched.hiccup_max_ns, sleep.stall_ns);
    }
    report.hiccup_max_ns = std::max(report.hiccup_max_ns, watched.hiccup_max_ns);
    // A probe that stands above the others does not wait as they do.
    if (probe.run_delay_known && !probe.above && !sleeps.empty())
      watched.run_queue_wait_mean_ns = waited_ns / static_cast<double>(sleeps.size());
  }
  report.hiccup_all_ns = longest_shared_stall(by_cpu);
  for (const WatchedCpu& watched : report.cpus) {
    if (!watched.probed) continue;
    state_->sleeps[watched.cpu] = std::move(by_cpu[state_->sleeps.size()]);
  }
  report.cpu_seconds = report.elapsed_ns * 1e-9 * static_cast<double>(state_->cpus.size());
  if (steal_known) report.steal_ticks = steal_ticks;
  if (report.cpu_seconds > 0) {
    report.steal_percent = 100 * report.steal_ticks / (report.cpu_seconds * ticks_per_s);
  }
  report.process_cpu_ns = after.process_cpu_ns - before.process_cpu_ns;
  report.watcher_cpu_ns = after.thread_cpu_ns - before.thread_cpu_ns;
  // A process that was moved to another cgroup meanwhile sees that one's count.
  if (before.throttled && after.throttled) {
    report.throttled_periods =
        *after.throttled > *before.throttled ? *after.throttled - *before.throttled : 0;
  }
  if (report.throttled_periods.value_or(0) > 0)
    report.cpu_quota = cgroup_cpu_limit(machine_files());
  return report;
}

std::vector<HostStall> HostWatch::stalls() const { return state_->stalls; }

std::vector<ProbeSleep> HostWatch::sleeps(int cpu) const {
  const auto found = state_->sleeps.find(cpu);
  return found == state_->sleeps.end() ? std::vector<ProbeSleep>() : found->second;
}

double probe_speed_ns() {
  constexpr int kRepeats = 3;
  constexpr int kSteps = 100'000;
  double best = 0;
  std::uint64_t value = 1;
  for (int i = 0; i < kRepeats; ++i) {
    const std::int64_t from = monotonic_ns();
    for (int step = 0; step < kSteps; ++step) value = mix64(value);
    const auto took = static_cast<double>(monotonic_ns() - from);
    if (i == 0 || took < best) best = took;
  }
  // The chain must not be optimised away; its value never is all ones in this program's lifetime.
  return value == ~0ULL ? best + 1 : best;
}

}  // namespace precipice
