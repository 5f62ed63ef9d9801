// What this process has used of the machine: CPU time, context switches, memory.
#pragma once

#include <cstdint>
#include <optional>

namespace precipice {

/// CPU time and context switches of the process and of the calling thread, to take the difference
/// of two.
struct ResourceUsage {
  double process_cpu_ns = 0, thread_cpu_ns = 0, process_switches = 0, thread_switches = 0;

  static ResourceUsage now();
};

/// The high-water mark of resident memory from its construction on; /proc/self/clear_refs, proc(5).
class PeakMemory {
 public:
  PeakMemory();
  /// nullopt where the mark could not be reset: it would be that of all trials so far.
  std::optional<std::uint64_t> bytes() const;

 private:
  bool known_ = false;
};

}  // namespace precipice
