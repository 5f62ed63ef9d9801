// Which CPUs a thread may run on: parsing, the process's own set, pinning, naming.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/options.hpp"

namespace precipice {

/// A CPU that was asked for can be used no more: it was taken offline, or out of the cpuset.
struct CpusGone : Unavailable {
  using Unavailable::Unavailable;
};

/// CPU numbers, ascending, without repeats.
class CpuSet {
 public:
  CpuSet() = default;
  explicit CpuSet(std::vector<int> cpus);
  /// `0,2-5`. Throws UsageError for bad syntax or a CPU that sched_setaffinity() refuses. Isolated
  /// CPUs are outside a process's mask, and may be named all the same.
  static CpuSet parse(std::string_view text);
  /// The calling thread's affinity mask (sched_getaffinity(2), within the cpuset cgroup); in a
  /// thread that pin_this_thread has pinned, the pinned CPUs. CPU 0 where it cannot be read.
  static CpuSet of_this_thread();

  const std::vector<int>& list() const { return cpus_; }
  std::size_t size() const { return cpus_.size(); }
  bool empty() const { return cpus_.empty(); }
  bool contains(int cpu) const;
  std::string to_string() const;

 private:
  std::vector<int> cpus_;
};

/// The CPUs of either.
CpuSet united(const CpuSet& a, const CpuSet& b);

/// Pins the calling thread. Throws CpusGone when a CPU of the set is not to be had, even where the
/// kernel quietly grants the others; Unavailable when it refuses for another reason.
void pin_this_thread(const CpuSet& cpus);
/// "CPU 1 is gone: ...", "CPUs 2-3 are gone: ...".
std::string gone_text(const CpuSet& cpus);
/// As ps and top show it; cut to the kernel's 15 characters.
void name_this_thread(std::string_view name) noexcept;
/// Asks for timer wake-ups without slack (1 ns) on this thread.
void remove_timer_slack() noexcept;

}  // namespace precipice
