// The timeline of the real clock: one pinned thread with a heap of timers.
#pragma once

#include <condition_variable>
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

  void serve();

  mutable std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  std::uint64_t order_ = 0;
  const void* running_ = nullptr;  ///< the context whose timer is being called
  LogCounts lateness_;
  bool stopping_ = false;
  std::vector<std::thread> thread_;  ///< one
};

}  // namespace precipice
