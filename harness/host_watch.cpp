#include "harness/host_watch.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "models/random.hpp"

namespace precipice {
namespace {

constexpr std::int64_t kPeriodNs = 1'000'000;
// Stalls that begin within this of each other are one event of the host.
constexpr std::int64_t kTogetherNs = 10'000'000;

std::int64_t monotonic_ns() { return Clock::now().time_since_epoch().count(); }

/// Time that the calling thread has spent runnable but waiting for a CPU, ns; 0 where the kernel
/// hides it.
class RunDelay {
 public:
  RunDelay() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  RunDelay(const RunDelay&) = delete;
  RunDelay& operator=(const RunDelay&) = delete;
  ~RunDelay() {
    if (file_ >= 0) close(file_);
  }
  std::int64_t read_ns() const {
    char text[96];
    const ssize_t size = file_ >= 0 ? pread(file_, text, sizeof text, 0) : -1;
    if (size <= 0) return 0;
    const char* begin = text;
    const char* end = begin + size;
    const char* second = std::find(begin, end, ' ');
    std::int64_t value = 0;
    if (second != end) std::from_chars(second + 1, end, value);
    return value;
  }

 private:
  int file_;
};

/// Stolen ticks of the given CPUs since boot, from /proc/stat.
double steal_ticks(const CpuSet& cpus) {
  std::ifstream file("/proc/stat");
  double total = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("cpu", 0) != 0 || line.size() < 4 || line[3] == ' ') continue;
    std::istringstream fields(line.substr(3));
    int cpu = -1;
    double value = 0;
    fields >> cpu;
    for (int field = 0; field < 8; ++field) fields >> value;  // the eighth is steal
    if (cpus.contains(cpu)) total += value;
  }
  return total;
}

/// nr_throttled of the cgroup that this process is in, v2 or v1; 0 where there is none.
std::uint64_t throttled_periods() {
  std::ifstream groups("/proc/self/cgroup");
  std::uint64_t total = 0;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t path = line.find('/');
    if (path == std::string::npos) continue;
    const bool v2 = line.rfind("0::", 0) == 0;
    if (!v2 && line.find("cpu") == std::string::npos) continue;
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    std::ifstream stat(root + line.substr(path) + "/cpu.stat");
    std::string name;
    for (std::uint64_t value = 0; stat >> name >> value;) {
      if (name == "nr_throttled") total = std::max(total, value);
    }
  }
  return total;
}

struct Stall {
  std::int64_t at_ns, length_ns;
};

}  // namespace

struct HostWatch::State {
  struct Probe {
    std::thread thread;
    std::vector<Stall> stalls;  // this and the rest: read after the join
    double cpu_ns = 0, switches = 0;
  };

  CpuSet cpus;
  std::vector<std::unique_ptr<Probe>> probes;
  std::atomic<bool> stop{false};
  std::int64_t begun_ns = 0;
  double steal_before = 0;
  std::uint64_t throttled_before = 0;

  void watch(Probe& probe, int cpu) {
    try {
      pin_this_thread(CpuSet({cpu}));
    } catch (const std::exception&) {
      return;  // without its CPU it would blame the wrong one
    }
    name_this_thread("host-probe");
    remove_timer_slack();
    const RunDelay delay;
    std::int64_t delay_before = delay.read_ns();
    while (!stop.load(std::memory_order_relaxed)) {
      const std::int64_t from = monotonic_ns();
      const std::int64_t due = from + kPeriodNs;
      const timespec until{due / 1'000'000'000, due % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
      const std::int64_t late = monotonic_ns() - due;
      const std::int64_t delay_now = delay.read_ns();
      const std::int64_t stall = late - (delay_now - delay_before);
      delay_before = delay_now;
      probe.stalls.push_back({from, stall});
    }
    timespec cpu_time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu_time);
    probe.cpu_ns =
        static_cast<double>(cpu_time.tv_sec) * 1e9 + static_cast<double>(cpu_time.tv_nsec);
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    probe.switches = static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw);
  }
};

HostWatch::HostWatch(const CpuSet& cpus) : state_(std::make_unique<State>()) {
  state_->cpus = cpus;
  for (const int cpu : cpus.list()) {
    auto& probe = *state_->probes.emplace_back(std::make_unique<State::Probe>());
    probe.thread = std::thread([state = state_.get(), &probe, cpu] { state->watch(probe, cpu); });
  }
  state_->begun_ns = monotonic_ns();
  state_->steal_before = steal_ticks(cpus);
  state_->throttled_before = throttled_periods();
}

HostWatch::~HostWatch() {
  state_->stop = true;
  for (auto& probe : state_->probes) {
    if (probe->thread.joinable()) probe->thread.join();
  }
}

HostReport HostWatch::end(Time from, Time to) {
  const double elapsed_s = static_cast<double>(monotonic_ns() - state_->begun_ns) * 1e-9;
  state_->stop = true;
  for (auto& probe : state_->probes) {
    if (probe->thread.joinable()) probe->thread.join();
    const std::int64_t first = from.time_since_epoch().count();
    const std::int64_t last = to.time_since_epoch().count();
    std::erase_if(probe->stalls, [&](const Stall& stall) {
      return stall.at_ns + kPeriodNs + stall.length_ns < first || stall.at_ns >= last;
    });
  }
  HostReport report;
  for (const auto& probe : state_->probes) {
    report.probes_cpu_ns += probe->cpu_ns;
    report.probes_switches += probe->switches;
    for (const Stall& stall : probe->stalls) {
      report.hiccup_max_ns = std::max(report.hiccup_max_ns, stall.length_ns);
    }
  }
  for (const Stall& stall : state_->probes.front()->stalls) {
    if (stall.length_ns <= report.hiccup_all_ns) continue;
    std::int64_t shared = stall.length_ns;
    for (const auto& other : state_->probes) {
      std::int64_t near = 0;
      for (const Stall& candidate : other->stalls) {
        if (std::abs(candidate.at_ns - stall.at_ns) <= kTogetherNs)
          near = std::max(near, candidate.length_ns);
      }
      shared = std::min(shared, near);
    }
    report.hiccup_all_ns = std::max(report.hiccup_all_ns, shared);
  }
  report.cpu_seconds = elapsed_s * static_cast<double>(state_->cpus.size());
  report.steal_ticks = steal_ticks(state_->cpus) - state_->steal_before;
  if (report.cpu_seconds > 0) {
    const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    report.steal_percent = 100 * report.steal_ticks / (report.cpu_seconds * ticks_per_second);
  }
  report.throttled_periods = throttled_periods() - state_->throttled_before;
  return report;
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
