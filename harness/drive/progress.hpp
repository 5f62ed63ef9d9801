// What a client tells while it runs: one tally a second, for a live view and a log.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>

#include "harness/drive/failure_kind.hpp"
#include "harness/stats/histogram.hpp"

namespace precipice {

/// Requests that ended within one second, counted from the epoch of the trial.
struct SecondTally {
  Histogram responses;  ///< of successes, ns
  std::uint64_t completed = 0, shed = 0;
  std::array<std::uint64_t, kFailureKinds> failed{};

  std::uint64_t failures() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t each : failed) sum += each;
    return sum;
  }
  void merge(const SecondTally& other) {
    responses.merge(other.responses);
    completed += other.completed;
    shed += other.shed;
    for (std::size_t i = 0; i < failed.size(); ++i) failed[i] += other.failed[i];
  }
};

/// From the client's threads, which hand over each second once it has passed, to whoever shows
/// them. Thread-safe.
class DriveProgress {
 public:
  explicit DriveProgress(unsigned threads) : threads_(threads) {}

  void hand_over(int second, const SecondTally& tally) {
    const std::lock_guard lock(mutex_);
    Gathered& into = seconds_[second];
    into.tally.merge(tally);
    ++into.threads;
  }
  /// Calls `each(second, tally)` for those that all threads have handed over, in order; with
  /// `the_rest` for all.
  template <class Each>
  void take(Each each, bool the_rest = false) {
    for (;;) {
      std::unique_lock lock(mutex_);
      const auto first = seconds_.begin();
      if (first == seconds_.end() || (!the_rest && first->second.threads < threads_)) return;
      const int second = first->first;
      const SecondTally tally = std::move(first->second.tally);
      seconds_.erase(first);
      lock.unlock();
      each(second, tally);
    }
  }

 private:
  struct Gathered {
    SecondTally tally;
    unsigned threads = 0;
  };
  const unsigned threads_;
  std::mutex mutex_;
  std::map<int, Gathered> seconds_;
};

}  // namespace precipice
