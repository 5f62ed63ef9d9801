// What the benchmarks share: where to run, which models, how to sum up repetitions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/model.hpp"

namespace precipice::bench {

/// The driver gets the first CPU that this process may use and the model the second; a machine with
/// one CPU shares it, which the benchmarks then say in their label.
struct Cpus {
  CpuSet driver;
  CpuSet model;
  bool shared = false;
};
const Cpus& cpus();

/// The models that are compared and can run here, as specs; work_stealing in both of its variants.
std::vector<std::string> compared_models();
/// `fixed_pool:threads=8`. Throws UsageError.
std::unique_ptr<Model> make_model(const std::string& spec);

/// Pins the calling thread to the driver's CPU and restores its affinity at the end.
class OnDriverCpu {
 public:
  OnDriverCpu();
  OnDriverCpu(const OnDriverCpu&) = delete;
  OnDriverCpu& operator=(const OnDriverCpu&) = delete;
  ~OnDriverCpu();

 private:
  CpuSet before_;
};

std::int64_t now_ns();
/// CPU time that the process has used without the calling thread.
std::int64_t others_cpu_ns();
/// One turn of a wait for another thread: yields when both share a CPU.
void wait_a_moment();
/// Blocks (no spinning) until `counter` has reached `target`, looking every 0.2 ms.
void wait_until(const std::atomic<std::uint64_t>& counter, std::uint64_t target);

/// The median with its distribution-free confidence interval from order statistics, at least 95%
/// where there are enough values (6), else their range.
struct Spread {
  double median = 0, low = 0, high = 0;
};
Spread spread_of(std::vector<double> values);

}  // namespace precipice::bench
