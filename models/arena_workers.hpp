// The threads of a oneTBB arena, for a model that has to name, pin and interrupt them.
#pragma once

#include <pthread.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

#include "models/arena_enqueue.hpp"
#include "models/cpu_set.hpp"
#include "models/interrupt_rounds.hpp"
#include "models/pinned_thread.hpp"

namespace precipice {

/// Pins and names whoever enters the arena, and keeps a list of who is inside, so that shutdown can
/// interrupt them.
class ArenaWorkers final : public tbb::task_scheduler_observer {
 public:
  ArenaWorkers(tbb::task_arena& arena, const CpuSet& cpus, unsigned most)
      : tbb::task_scheduler_observer(arena), cpus_(cpus) {
    inside_.reserve(most);  // entering must not fail: oneTBB would end the process
    order_before(this);
    observe(true);
  }
  /// Waits for callbacks that are under way.
  ~ArenaWorkers() override {
    observe(false);
    order_after(this);
  }

  void on_scheduler_entry(bool) override {
    order_after(this);
    entries_.fetch_add(1, std::memory_order_relaxed);
    // A worker leaves and enters again with every idle spell; what holds for its life is done once,
    // or the first task after each pause would pay for it.
    thread_local std::uint64_t prepared_for = 0;
    if (prepared_for != generation_) {
      prepared_for = generation_;
      prepare_thread();
    }
    {
      const std::lock_guard lock(mutex_);
      inside_.push_back({pthread_self(), &flag_of_this_thread()});
      most_ = std::max(most_, inside_.size());
    }
    order_before(this);
  }

  void prepare_thread() {
    try {
      pin_this_thread(cpus_);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    name_this_thread("stealing");
    remove_timer_slack();
    accept_interrupts();
  }

  void on_scheduler_exit(bool) override {
    {
      const std::lock_guard lock(mutex_);
      const auto found = std::find_if(inside_.begin(), inside_.end(), [](const Worker& worker) {
        return worker.thread == pthread_self();
      });
      if (found != inside_.end()) inside_.erase(found);
    }
    order_before(this);
  }

  /// A worker executes one request at a time, whichever arena it is in.
  static ExecutingFlag& flag_of_this_thread() noexcept {
    thread_local ExecutingFlag flag;
    return flag;
  }
  void interrupt_executing() noexcept {
    const std::lock_guard lock(mutex_);
    for (const Worker& worker : inside_) worker.executing->interrupt(worker.thread);
  }
  void rethrow_error() {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
  }
  std::uint64_t entries() const noexcept { return entries_.load(std::memory_order_relaxed); }
  std::size_t most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  /// Who is inside lives: a thread leaves the arena before it ends.
  struct Worker {
    pthread_t thread;
    const ExecutingFlag* executing;
  };

  const CpuSet cpus_;
  mutable std::mutex mutex_;
  std::vector<Worker> inside_;
  std::size_t most_ = 0;
  std::exception_ptr error_;
  static std::uint64_t next_generation() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1) + 1;
  }

  const std::uint64_t generation_ = next_generation();
  std::atomic<std::uint64_t> entries_{0};
};

}  // namespace precipice
