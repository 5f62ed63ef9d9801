// Bounded spinning before a wait: an executor that would block first polls what it waits for, for
// at most as long as the option `spin` says. A wake-up then costs no trip through the scheduler,
// which pays where few requests are under way and their executor has a CPU of its own; it costs the
// CPU that it polls on.
#pragma once

#include <atomic>
#include <cstdint>

#include "models/io.hpp"
#include "models/model.hpp"
#include "models/options.hpp"

namespace precipice {

/// The option, for a model's table of keys.
inline constexpr OptionKey kSpinKey{
    "spin", "0s",
    "an executor that would block polls for this long first, at most 1ms; 0s blocks at once, since "
    "polling takes its CPU from whatever else runs there"};

/// Longer than any wake-up that spinning could spare, on any machine: beyond it the option would be
/// a busy loop.
inline constexpr Nanos kMostSpin = std::chrono::milliseconds(1);

/// The value of `spin`. Throws UsageError for what is no duration and for more than kMostSpin.
Nanos spin_of(const Options& options);

/// What came of polling. Counted by any number of threads, read by any.
class SpinTallies {
 public:
  void add(std::uint64_t polls, bool found) noexcept {
    spins_.fetch_add(1, std::memory_order_relaxed);
    polls_.fetch_add(polls, std::memory_order_relaxed);
    if (!found) in_vain_.fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t spins() const noexcept { return spins_.load(std::memory_order_relaxed); }
  std::uint64_t polls() const noexcept { return polls_.load(std::memory_order_relaxed); }
  /// Spins that found nothing within their bound, so that the executor blocked.
  std::uint64_t in_vain() const noexcept { return in_vain_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> spins_{0}, polls_{0}, in_vain_{0};
};

/// Adds the sums over a model's executors to its figures.
template <class Executors>
void add_spin_figures(const Executors& executors, ModelStats& figures) {
  std::uint64_t spins = 0, polls = 0, in_vain = 0;
  for (const auto& executor : executors) {
    spins += executor->spin_tallies().spins();
    polls += executor->spin_tallies().polls();
    in_vain += executor->spin_tallies().in_vain();
  }
  figures.emplace_back("spins", static_cast<double>(spins));
  figures.emplace_back("spins_in_vain", static_cast<double>(in_vain));
  figures.emplace_back("spin_polls", static_cast<double>(polls));
}

/// Tells the CPU that this thread polls: it leaves more of a shared core to the core's other
/// thread.
inline void relax_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Polls until `found` answers true, which it returns, or until `until`. At least once.
template <class Found>
bool spin_until(Time until, SpinTallies& tallies, Found found) {
  std::uint64_t polls = 0;
  bool done = false;
  do {
    ++polls;
    done = found();
    if (!done) relax_cpu();
  } while (!done && Io::now() < until);
  tallies.add(polls, done);
  return done;
}

}  // namespace precipice
