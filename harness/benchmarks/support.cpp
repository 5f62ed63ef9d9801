#include "harness/benchmarks/support.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <exception>
#include <thread>

#include "harness/stats/statistics.hpp"
#include "harness/trial/spec.hpp"

namespace precipice::bench {
namespace {

std::int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

const Cpus& cpus() {
  static const Cpus chosen = [] {
    const std::vector<int> allowed = CpuSet::of_this_thread().list();
    const bool shared = allowed.size() < 2;
    return Cpus{CpuSet({allowed[0]}), CpuSet({allowed[shared ? 0 : 1]}), shared};
  }();
  return chosen;
}

std::vector<std::string> compared_models() {
  std::vector<std::string> specs;
  for (const ModelInfo& info : models()) {
    if (info.control || (info.unavailable != nullptr && info.unavailable())) continue;
    if (info.name == "work_stealing") {
      specs.insert(specs.end(), {"work_stealing:io=block", "work_stealing:io=suspend"});
    } else {
      specs.emplace_back(info.name);
    }
  }
  return specs;
}

std::unique_ptr<Model> make_model(const std::string& text) {
  const Spec spec = parse_spec(text, "a model");
  const ModelInfo& info = model_named(spec.name);
  return info.make(Options(info.name, info.options, spec.given));
}

OnDriverCpu::OnDriverCpu() : before_(CpuSet::of_this_thread()) {
  pin_this_thread(cpus().driver);
  remove_timer_slack();
}

OnDriverCpu::~OnDriverCpu() {
  try {
    pin_this_thread(before_);
  } catch (const std::exception&) {
    // Staying where it is harms nothing but speed.
  }
}

std::int64_t now_ns() { return Clock::now().time_since_epoch().count(); }

std::int64_t others_cpu_ns() {
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void wait_a_moment() {
  if (cpus().shared) std::this_thread::yield();
}

void wait_until(const std::atomic<std::uint64_t>& counter, std::uint64_t target) {
  while (counter.load(std::memory_order_acquire) < target) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  // The largest k with 2 P(Binomial(n, 1/2) < k) <= 5%: the interval from the k-th smallest to the
  // k-th largest (Hollander and Wolfe, Nonparametric Statistical Methods).
  std::size_t k = 0;
  double below = 0, term = std::pow(0.5, n);
  for (std::size_t i = 0; i < values.size() / 2; ++i) {
    below += term;
    if (2 * below > 0.05) break;
    k = i + 1;
    term *= (n - static_cast<double>(i)) / static_cast<double>(i + 1);
  }
  const std::size_t first = k == 0 ? 0 : k - 1;
  return {median(values), values[first], values[values.size() - 1 - first]};
}

}  // namespace precipice::bench
