#include "models/policies/timer_thread.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>
#include <utility>

#include "models/io.hpp"
#include "models/pinned_thread.hpp"

namespace precipice {

TimerThread::TimerThread(const CpuSet& cpus) {
  start_thread(thread_, "timeline", cpus, [this] { serve(); });
}

TimerThread::~TimerThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.front().join();
}

Time TimerThread::now() const noexcept { return Io::now(); }

bool TimerThread::at(Time when, const Timer& timer) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    entries_.push({when, order_++, timer});
  } catch (const std::bad_alloc&) {
    return false;
  }
  // Only where the thread would sleep past it: a timer behind another wakes nobody.
  if (entries_.top().when == when) {
    note_first();
    changed_.notify_one();
  }
  return true;
}

void TimerThread::drop(const void* context) noexcept {
  std::unique_lock lock(mutex_);
  // In place, since there may be no memory: what is left is a heap again after the sift.
  struct Open : decltype(entries_) {
    static std::vector<Entry>& container(decltype(entries_)& queue) { return queue.*&Open::c; }
  };
  std::vector<Entry>& all = Open::container(entries_);
  std::erase_if(all, [&](const Entry& entry) { return entry.timer.context == context; });
  std::make_heap(all.begin(), all.end(), std::greater<>());
  note_first();
  const auto runs_elsewhere = [&](Caller caller) {
    return running_[caller] == context && caller_[caller] != std::this_thread::get_id();
  };
  idle_.wait(lock, [&] { return !runs_elsewhere(own) && !runs_elsewhere(guest); });
}

bool TimerThread::wait_until(Time deadline, const std::function<bool()>& done) {
  Nanos pause = std::chrono::microseconds(100);
  while (!done()) {
    const Time now = Io::now();
    if (now >= deadline) return false;
    std::this_thread::sleep_for(std::min(pause, deadline - now));
    pause = std::min<Nanos>(pause * 2, std::chrono::milliseconds(1));
  }
  return true;
}

TimerThread::Lateness TimerThread::lateness() const {
  const std::lock_guard lock(mutex_);
  return {lateness_.total(), lateness_.percentile(98), lateness_.percentile(99), lateness_.max()};
}

void TimerThread::note_first() {
  next_ns_.store(entries_.empty() ? kNever : entries_.top().when.time_since_epoch().count(),
                 std::memory_order_relaxed);
}

void TimerThread::call_first(std::unique_lock<std::mutex>& lock, Caller caller) {
  const Entry first = entries_.top();
  entries_.pop();
  note_first();
  lateness_.add((Io::now() - first.when).count());
  running_[caller] = first.timer.context;
  caller_[caller] = std::this_thread::get_id();
  lock.unlock();
  first.timer.due(first.timer.context, first.timer.argument);
  lock.lock();
  running_[caller] = nullptr;
  idle_.notify_all();
}

void TimerThread::serve_due() noexcept {
  std::unique_lock lock(mutex_);
  while (!entries_.empty() && entries_.top().when <= Io::now()) call_first(lock, guest);
}

void TimerThread::serve() {
  // Time for whoever looks at the clock anyway. It is late only where that thread is held up, so it
  // need not be exact.
  constexpr Nanos kGrace = std::chrono::microseconds(200);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (entries_.empty()) {
      changed_.wait(lock);
      continue;
    }
    Time when = entries_.top().when;
    if (when.time_since_epoch().count() >= attended_from_ns_.load(std::memory_order_relaxed))
      when += kGrace;
    if (Io::now() < when) {
      changed_.wait_until(lock, when);
      continue;
    }
    call_first(lock, own);
  }
}

}  // namespace precipice
