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
  if (entries_.top().when == when) changed_.notify_one();
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
  if (std::this_thread::get_id() != thread_.front().get_id())
    idle_.wait(lock, [&] { return running_ != context; });
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

void TimerThread::serve() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (entries_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Time when = entries_.top().when, now = Io::now();
    if (now < when) {
      changed_.wait_until(lock, when);
      continue;
    }
    lateness_.add((now - when).count());
    const Timer timer = entries_.top().timer;
    entries_.pop();
    running_ = timer.context;
    lock.unlock();
    timer.due(timer.context, timer.argument);
    lock.lock();
    running_ = nullptr;
    idle_.notify_all();
  }
}

}  // namespace precipice
