#include "harness/trial/resource_usage.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "harness/host/cpu_clock.hpp"

namespace precipice {
ResourceUsage ResourceUsage::now() {
  ResourceUsage usage;
  rusage process{}, thread{};
  getrusage(RUSAGE_SELF, &process);
  getrusage(RUSAGE_THREAD, &thread);
  usage.process_switches = static_cast<double>(process.ru_nvcsw + process.ru_nivcsw);
  usage.thread_switches = static_cast<double>(thread.ru_nvcsw + thread.ru_nivcsw);
  usage.process_cpu_ns = cpu_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  usage.thread_cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  return usage;
}

PeakMemory::PeakMemory() {
  known_ = (std::ofstream("/proc/self/clear_refs") << "5").flush().good();
}

std::optional<std::uint64_t> PeakMemory::bytes() const {
  std::ifstream status("/proc/self/status");
  for (std::string line; known_ && std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return std::nullopt;
}

}  // namespace precipice
