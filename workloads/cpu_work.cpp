#include "workloads/cpu_work.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>

#include "models/options.hpp"
#include "models/random.hpp"
#include "workloads/draws.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kMultiplier = 6364136223846793005ULL;
constexpr std::uint64_t kIncrement = 1442695040888963407ULL;

/// x -> a x + c.
struct Step {
  std::uint64_t a = 1, c = 0;
  constexpr std::uint64_t operator()(std::uint64_t x) const { return a * x + c; }
  /// This step, then `next`.
  constexpr Step then(const Step& next) const { return {next.a * a, next.a * c + next.c}; }
};

constexpr Step power(Step step, std::uint64_t n) {
  Step result;
  for (; n > 0; n >>= 1) {
    if (n & 1) result = result.then(step);
    step = step.then(step);
  }
  return result;
}

/// Of an odd number modulo 2^64, by Newton's iteration: 3 correct bits to begin with, doubled each
/// time.
constexpr std::uint64_t inverse(std::uint64_t odd) {
  std::uint64_t x = odd;
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}

constexpr Step kForward{kMultiplier, kIncrement};
constexpr Step kBackward{inverse(kMultiplier), 0 - inverse(kMultiplier) * kIncrement};
static_assert(kBackward(kForward(12345)) == 12345);

double measure_iterations_per_us() {
  constexpr std::uint64_t kBatch = 50'000;  // some 50 us: long against reading the clock, and short
  constexpr int kBatches = 200;             // enough that most batches meet no interruption
  volatile std::uint64_t sink = 0;
  auto fastest = std::chrono::nanoseconds::max();
  for (int i = 0; i < kBatches; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    sink = run_chain(sink, kBatch);
    fastest = std::min(fastest, std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin));
  }
  return 1000.0 * static_cast<double>(kBatch) / static_cast<double>(fastest.count());
}

std::mutex calibration_mutex;
double calibration = 0;  // 0: not known yet

}  // namespace

double cpu_iterations_per_us() {
  const std::lock_guard lock(calibration_mutex);
  if (calibration == 0) calibration = measure_iterations_per_us();
  return calibration;
}

void set_cpu_iterations_per_us(double iterations_per_us) {
  if (!std::isfinite(iterations_per_us) || iterations_per_us <= 0) {
    throw UsageError("cpu: a calibration is a number of iterations per microsecond above 0");
  }
  const std::lock_guard lock(calibration_mutex);
  calibration = iterations_per_us;
}

[[gnu::noinline]] std::uint64_t run_chain(std::uint64_t start, std::uint64_t iterations) {
  std::uint64_t x = start;
  for (; iterations > 0; --iterations) {
    x = kForward(x);
    // Several steps could be merged into one; an opaque use of the register after each forbids it.
    asm volatile("" : "+r"(x));
  }
  return x;
}

std::uint64_t jump_chain(std::uint64_t start, std::uint64_t iterations) {
  return power(kForward, iterations)(start);
}

std::uint64_t rewind_chain(std::uint64_t end, std::uint64_t iterations) {
  return power(kBackward, iterations)(end);
}

CpuWork::CpuWork(const Distribution& distribution, Nanos mean, std::uint64_t salt) {
  const Draws draws(distribution, mean, salt);
  us_.reserve(kTabulatedSeeds);
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
    us_.push_back(draws.ns(seed) / 1000.0);
  }
}

void CpuWork::prepare(bool tabulating) {
  tabulating_ = tabulating;
  const double now = cpu_iterations_per_us();
  if (now == calibration_) return;
  chains_.resize(us_.size());
  for (std::size_t seed = 0; seed < us_.size(); ++seed) {
    const auto iterations = static_cast<std::uint64_t>(us_[seed] * now + 0.5);
    chains_[seed] = {rewind_chain(mix64(seed), iterations), iterations};
  }
  calibration_ = now;
}

template <std::uint64_t (*Advance)(std::uint64_t, std::uint64_t)>
std::uint64_t CpuWork::work(const void* self, std::uint64_t seed) {
  const Chain& chain = static_cast<const CpuWork*>(self)->chains_[seed % kTabulatedSeeds];
  return mix64(Advance(chain.start, chain.iterations));
}

Compute CpuWork::compute(std::uint64_t seed) const {
  return {tabulating_ ? &work<jump_chain> : &work<run_chain>, this, seed};
}

std::uint64_t CpuWork::iterations(std::uint64_t seed) const {
  return chains_[seed % kTabulatedSeeds].iterations;
}

}  // namespace precipice
