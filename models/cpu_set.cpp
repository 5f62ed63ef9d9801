#include "models/cpu_set.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace precipice {
namespace {

// More CPUs than any kernel is configured for, so that a set always fits.
constexpr int kMaxCpus = 8192;

struct KernelSet {
  cpu_set_t* set = CPU_ALLOC(kMaxCpus);
  std::size_t bytes = CPU_ALLOC_SIZE(kMaxCpus);
  KernelSet() { CPU_ZERO_S(bytes, set); }
  KernelSet(const KernelSet&) = delete;
  KernelSet& operator=(const KernelSet&) = delete;
  ~KernelSet() { CPU_FREE(set); }
};

/// Of the calling thread: 0 or an errno.
int set_mask(const CpuSet& cpus) {
  KernelSet kernel;
  for (const int cpu : cpus.list()) CPU_SET_S(cpu, kernel.bytes, kernel.set);
  return pthread_setaffinity_np(pthread_self(), kernel.bytes, kernel.set);
}

CpuSet without(const CpuSet& cpus, const CpuSet& taken) {
  std::vector<int> rest;
  for (const int cpu : cpus.list()) {
    if (!taken.contains(cpu)) rest.push_back(cpu);
  }
  return CpuSet(std::move(rest));
}

/// Those of the set that the kernel does not let this thread have. Its mask is as before.
CpuSet refused_of(const CpuSet& cpus) {
  const CpuSet before = CpuSet::of_this_thread();
  if (without(cpus, before).empty()) return {};
  // The kernel drops what it does not grant without a word, unless nothing remains.
  const CpuSet granted = set_mask(cpus) == 0 ? CpuSet::of_this_thread() : CpuSet();
  set_mask(before);
  return without(cpus, granted);
}

int parse_cpu(std::string_view text, std::string_view whole) {
  int cpu = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (error != std::errc{} || end != text.data() + text.size() || cpu < 0 || cpu >= kMaxCpus) {
    throw UsageError("CPU set '" + std::string(whole) + "': '" + std::string(text) +
                     "' is not a CPU number; write for example 0,2-5");
  }
  return cpu;
}

}  // namespace

CpuSet::CpuSet(std::vector<int> cpus) : cpus_(std::move(cpus)) {
  std::sort(cpus_.begin(), cpus_.end());
  cpus_.erase(std::unique(cpus_.begin(), cpus_.end()), cpus_.end());
}

CpuSet CpuSet::parse(std::string_view text) {
  std::vector<bool> named(kMaxCpus);  // a CPU may be named any number of times
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const std::size_t dash = part.find('-');
    const int first = parse_cpu(part.substr(0, dash), text);
    const int last =
        dash == std::string_view::npos ? first : parse_cpu(part.substr(dash + 1), text);
    if (last < first) {
      throw UsageError("CPU set '" + std::string(text) + "': the range '" + std::string(part) +
                       "' runs backwards");
    }
    for (int cpu = first; cpu <= last; ++cpu) named[static_cast<std::size_t>(cpu)] = true;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  std::vector<int> cpus;
  for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (named[static_cast<std::size_t>(cpu)]) cpus.push_back(cpu);
  }
  CpuSet result(std::move(cpus));
  if (const CpuSet refused = refused_of(result); !refused.empty()) {
    throw UsageError("CPU set '" + std::string(text) + "': this process may not use CPU " +
                     refused.to_string() + "; it has " + of_this_thread().to_string() +
                     ", and the kernel refuses what is offline or outside its cpuset");
  }
  return result;
}

CpuSet CpuSet::of_this_thread() {
  KernelSet kernel;
  std::vector<int> cpus;
  if (sched_getaffinity(0, kernel.bytes, kernel.set) == 0) {
    for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
      if (CPU_ISSET_S(cpu, kernel.bytes, kernel.set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return CpuSet(std::move(cpus));
}

CpuSet united(const CpuSet& a, const CpuSet& b) {
  std::vector<int> cpus = a.list();
  cpus.insert(cpus.end(), b.list().begin(), b.list().end());
  return CpuSet(std::move(cpus));
}

bool CpuSet::contains(int cpu) const { return std::binary_search(cpus_.begin(), cpus_.end(), cpu); }

std::string CpuSet::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < cpus_.size();) {
    std::size_t j = i;
    while (j + 1 < cpus_.size() && cpus_[j + 1] == cpus_[j] + 1) ++j;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus_[i]);
    if (j > i) text += '-' + std::to_string(cpus_[j]);
    i = j + 1;
  }
  return text;
}

std::string gone_text(const CpuSet& cpus) {
  return "CPU" + std::string(cpus.size() > 1 ? "s " : " ") + cpus.to_string() +
         (cpus.size() > 1 ? " are" : " is") +
         " gone: taken offline, or out of the cpuset that this process is in";
}

void pin_this_thread(const CpuSet& cpus) {
  const int error = set_mask(cpus);
  if (error != 0 && (error != EINVAL || cpus.empty())) {
    throw Unavailable(
        "cannot pin a thread to CPUs " + cpus.to_string() + ": " + std::strerror(error) +
        (error == EBUSY ? "; one of SCHED_DEADLINE cannot be: start without chrt -d" : ""));
  }
  const CpuSet gone = without(cpus, error == 0 ? CpuSet::of_this_thread() : CpuSet());
  if (!gone.empty()) throw CpusGone(gone_text(gone));
}

void name_this_thread(std::string_view name) noexcept {
  char buffer[16] = {};
  name.copy(buffer, sizeof buffer - 1);
  pthread_setname_np(pthread_self(), buffer);
}

void remove_timer_slack() noexcept { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

}  // namespace precipice
