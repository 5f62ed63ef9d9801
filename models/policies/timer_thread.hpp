// The timeline of the real clock: one pinned thread with a heap of timers, which a thread that is
// awake anyway may call first.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/log_counts.hpp"
#include "models/policies/timeline.hpp"

namespace precipice {

/// Runs from construction to destruction. Throws Unavailable when there is no thread for it.
class TimerThread final : public Timeline {
 public:
  explicit TimerThread(const CpuSet& cpus);
  ~TimerThread() override;

  Time now() const noexcept override;
  bool at(Time when, const Timer& timer) noexcept override;
  void drop(const void* context) noexcept override;
  bool wait_until(Time deadline, const std::function<bool()>& done) override;

  // For a thread that shares the CPU and looks at the clock all the time, such as the generator: it
  // is spared the switch to the timer thread, and its timers the delay. One thread at a time.
  /// When the next timer is due; the largest value if there is none.
  std::int64_t next_ns() const noexcept { return next_ns_.load(std::memory_order_relaxed); }
  /// Calls what is due.
  void serve_due() noexcept;
  /// Timers due at or after `at_ns` are left to serve_due of the calling thread; the timer thread
  /// calls them only once they are 200 us late. kNever: none.
  void attend_from(std::int64_t at_ns) noexcept {
    attended_from_ns_.store(at_ns, std::memory_order_relaxed);
  }
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// How late timers were called.
  struct Lateness {
    std::uint64_t timers = 0;
    double p98_ns = 0, p99_ns = 0, max_ns = 0;
  };
  Lateness lateness() const;

 private:
  struct Entry {
    Time when;
    std::uint64_t order = 0;  ///< of equal times, the first that was set
    Timer timer;
    bool operator>(const Entry& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  /// Which thread calls timers.
  enum Caller : std::uint8_t { own, guest, kCallers };

  void serve();
  /// With the lock held; releases it for the call.
  void call_first(std::unique_lock<std::mutex>& lock, Caller caller);
  void note_first();

  mutable std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  std::uint64_t order_ = 0;
  /// The contexts whose timers are being called.
  std::array<const void*, kCallers> running_{};
  std::array<std::thread::id, kCallers> caller_{};
  std::atomic<std::int64_t> next_ns_{kNever}, attended_from_ns_{kNever};
  LogCounts lateness_;
  bool stopping_ = false;
  std::vector<std::thread> thread_;  ///< one
};

}  // namespace precipice
