#include "harness/host_watch.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <map>
#include <optional>
#include <thread>

#include "harness/proc_stat.hpp"
#include "harness/throttling.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

constexpr std::int64_t kPeriodNs = 1'000'000;
// Stalls that begin within this of each other are one event of the host.
constexpr std::int64_t kTogetherNs = 10'000'000;

double cpu_clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

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

/// Everything that is counted since boot or since the process began, to take the difference of two.
struct Counters {
  std::int64_t at_ns = 0;
  std::map<int, CpuTicks> ticks;
  std::map<int, double> softirq_ns;
  double process_cpu_ns = 0, thread_cpu_ns = 0;
  std::uint64_t throttled = 0;

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

struct HostWatch::State {
  struct Probe {
    std::thread thread;
    std::vector<ProbeSleep> sleeps;  // this and the rest: read after the join
    bool pinned = false, run_delay_known = true;
    double late_ns = 0, waited_ns = 0, cpu_ns = 0, switches = 0;
  };

  CpuSet cpus;
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
    const RunDelay delay;
    std::optional<std::int64_t> delay_before = delay.read_ns();
    probe.run_delay_known = delay_before.has_value();
    begun();
    do {
      const std::int64_t due = monotonic_ns() + kPeriodNs;
      const timespec until{due / 1'000'000'000, due % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
      const std::int64_t late = monotonic_ns() - due;
      const auto delay_now = delay.read_ns();
      const std::int64_t waited = delay_now.value_or(0) - delay_before.value_or(0);
      delay_before = delay_now;
      probe.late_ns += static_cast<double>(late);
      probe.waited_ns += static_cast<double>(waited);
      probe.sleeps.push_back({due, late - waited, waited});
    } while (!stop.load(std::memory_order_relaxed));
    probe.cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    probe.switches = static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw);
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
  state_->before = Counters::now(cpus);
  state_->starting = static_cast<int>(cpus.size());
  for (const int cpu : cpus.list()) {
    auto& probe = *state_->probes.emplace_back(std::make_unique<State::Probe>());
    try {
      probe.thread = std::thread([state = state_.get(), &probe, cpu] { state->watch(probe, cpu); });
    } catch (...) {
      state_->join();  // an abandoned std::thread would end the process
      throw;
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
  const Counters& before = state_->before;
  const Counters after = Counters::now(state_->cpus);
  const auto ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
  HostReport report;
  std::vector<std::vector<ProbeSleep>> by_cpu;
  for (std::size_t i = 0; i < state_->probes.size(); ++i) {
    State::Probe& probe = *state_->probes[i];
    WatchedCpu& watched = report.cpus.emplace_back();
    watched.cpu = state_->cpus.list()[i];
    watched.probed = probe.pinned;
    watched.probe_cpu_ns = probe.cpu_ns;
    const auto ticks_before = before.ticks.find(watched.cpu), ticks = after.ticks.find(watched.cpu);
    if (ticks_before != before.ticks.end() && ticks != after.ticks.end()) {
      watched.busy_ns = (ticks->second.busy - ticks_before->second.busy) * 1e9 / ticks_per_s;
      report.steal_ticks += ticks->second.steal - ticks_before->second.steal;
    }
    const auto softirq_before = before.softirq_ns.find(watched.cpu);
    const auto softirq = after.softirq_ns.find(watched.cpu);
    if (softirq_before != before.softirq_ns.end() && softirq != after.softirq_ns.end()) {
      watched.busy_ns = std::max(0.0, watched.busy_ns - softirq->second + softirq_before->second);
    }
    report.probes_cpu_ns += probe.cpu_ns;
    report.probes_switches += probe.switches;
    if (!probe.pinned) continue;

    report.run_delay_known = report.run_delay_known && probe.run_delay_known;
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
    if (probe.run_delay_known && !sleeps.empty())
      watched.run_queue_wait_mean_ns = waited_ns / static_cast<double>(sleeps.size());
  }
  report.hiccup_all_ns = longest_shared_stall(by_cpu);
  for (const WatchedCpu& watched : report.cpus) {
    if (!watched.probed) continue;
    state_->sleeps[watched.cpu] = std::move(by_cpu[state_->sleeps.size()]);
  }
  report.elapsed_ns = static_cast<double>(after.at_ns - before.at_ns);
  report.cpu_seconds = report.elapsed_ns * 1e-9 * static_cast<double>(state_->cpus.size());
  if (report.cpu_seconds > 0) {
    report.steal_percent = 100 * report.steal_ticks / (report.cpu_seconds * ticks_per_s);
  }
  report.process_cpu_ns = after.process_cpu_ns - before.process_cpu_ns;
  report.watcher_cpu_ns = after.thread_cpu_ns - before.thread_cpu_ns;
  // A process that was moved to another cgroup meanwhile sees that one's count.
  if (after.throttled > before.throttled) {
    report.throttled_periods = after.throttled - before.throttled;
  }
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
