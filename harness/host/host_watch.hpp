// Watches the machine under a trial: stalls, stolen time, throttling, other processes. What it
// sees is the host's doing, not the model's: a probe's own wait for a CPU that is busy with
// runnable threads is subtracted.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// What the kernel does not show is NaN or nullopt, here and below.
inline constexpr double kNotShown = std::numeric_limits<double>::quiet_NaN();

/// What was seen of one CPU.
struct WatchedCpu {
  int cpu = -1;
  /// False: it was taken away, before the watch or under it (a cpuset, offline).
  bool probed = false;
  std::int64_t hiccup_max_ns = 0;  ///< longest stall
  double busy_ns = kNotShown;      ///< by threads of any process; without interrupts and ksoftirqd
  double probe_cpu_ns = 0;
  /// How long a thread that wakes there waits in the run queue: of the probe's own wake-ups in the
  /// span. NaN where there was none, or the kernel hides run delays.
  double run_queue_wait_mean_ns = kNotShown;
};

struct HostReport {
  std::int64_t hiccup_max_ns = 0;  ///< longest stall on any watched CPU
  /// Longest stall that every probed CPU saw within the same 10 ms.
  std::int64_t hiccup_all_ns = 0;
  std::vector<WatchedCpu> cpus;  ///< by number
  /// False where the kernel hides how long a thread has waited for its CPU: a stall cannot be told
  /// from runnable threads there, and is not judged.
  bool run_delay_known = true;
  /// What the scheduler keeps real-time threads off a CPU for in each of its periods; nullopt where
  /// this process is none of them, or nothing bounds them (sched(7)).
  std::optional<std::int64_t> real_time_pause_ns;
  /// The probes ran above all other threads of this process, so that such a pause was seen.
  bool real_time_watched = false;
  double late_ns = 0;                ///< sum over all probes and sleeps: how late they ended
  double waited_ns = 0;              ///< the part of it that the probes were runnable
  double stalls_ns = 0;              ///< the rest, which is blamed on the host
  double steal_ticks = kNotShown;    ///< over the watched CPUs
  double steal_percent = kNotShown;  ///< of the watched CPUs' time
  double cpu_seconds = 0;            ///< watched CPUs x elapsed
  double elapsed_ns = 0;             ///< of the watch
  double probes_cpu_ns = 0;          ///< what the watch itself used
  double probes_switches = 0;        ///< context switches of the watch itself
  double process_cpu_ns = 0;         ///< of all threads of this process, the watch included
  double watcher_cpu_ns = 0;         ///< of the thread that made and ended the watch: the generator
  /// Of this process's cgroups, during the watch.
  std::optional<std::uint64_t> throttled_periods;
  std::optional<double> cpu_quota;  ///< in CPUs, of those cgroups; looked up where it throttled

  /// CPUs that were taken away.
  CpuSet gone() const;
  /// What the kernel does not show here, so that no gate has judged it: "stalls (...), steal
  /// (...)", or "".
  std::string not_judged() const;
};

/// One sleep of a probe. Times are of the monotonic clock.
struct ProbeSleep {
  std::int64_t due_ns = 0;     ///< when it was to end
  std::int64_t stall_ns = 0;   ///< by how much it was late, less the probe's own wait for its CPU
  std::int64_t waited_ns = 0;  ///< that wait: runnable, but not running
};

/// How late one sleep of a probe ended, less the probe's own run delay.
struct HostStall {
  int cpu = 0;
  std::int64_t at_ns = 0;  ///< when the sleep began, on the steady clock
  std::int64_t length_ns = 0;
};

/// The longest stall that every one of these CPUs saw at the same time, give or take 10 ms: the
/// machine stood still, not one CPU. Sleeps are in order of time. 0 where there is no CPU.
std::int64_t longest_shared_stall(const std::vector<std::vector<ProbeSleep>>& by_cpu);

/// One thread per CPU sleeps 1 ms at a time and notes by how much each sleep was late, less its own
/// run delay from /proc/thread-self/schedstat. In a real-time process the probes have a priority of
/// one more than its other threads, where they may, and nothing is subtracted: they wait for none
/// of them. Costs about 0.5% of a CPU.
class HostWatch {
 public:
  /// Throws Unavailable when a probe cannot be made.
  explicit HostWatch(const CpuSet& cpus);
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  /// Stops the probes; called by the thread that made the watch. Stalls are those that touch
  /// [from, to); all else counts since construction. Throws std::bad_alloc when a probe ran out of
  /// memory on its way.
  HostReport end(Time from, Time to);
  /// After `end`: the sleeps of one CPU's probe that touched its span, in order of time.
  std::vector<ProbeSleep> sleeps(int cpu) const;
  /// Every sleep that touched the span given to `end`, CPU by CPU; empty before it.
  std::vector<HostStall> stalls() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Nanoseconds that a fixed piece of integer work takes on the calling thread's CPU now: the best
/// of three. Drift of this number is drift of the machine. Takes about 1 ms.
double probe_speed_ns();

}  // namespace precipice
