#include "models/request_queue.hpp"

#include <semaphore.h>
#include <tbb/concurrent_queue.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <vector>

namespace precipice {

bool MutexQueue::take(Request& request) {
  if (requests_.empty()) return false;
  request = requests_.front();
  requests_.pop_front();
  return true;
}

bool MutexQueue::push(const Request& request) noexcept {
  bool asleep = false;
  try {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    asleep = waiting_ > 0;
  } catch (const std::bad_alloc&) {
    return false;
  }
  // Outside the lock, so that the woken worker does not run into it. Nothing is lost: a worker
  // counts itself as waiting and looks at the deque under the same lock.
  if (asleep) arrived_.notify_one();
  return true;
}

bool MutexQueue::pop(unsigned, Request& request) {
  std::unique_lock lock(mutex_);
  while (requests_.empty() && !closed_) {
    ++waiting_;
    ++sleeps_;
    arrived_.wait(lock);
    --waiting_;
  }
  return take(request);
}

bool MutexQueue::pop_until(Request& request, Time until) {
  std::unique_lock lock(mutex_);
  while (requests_.empty() && !closed_) {
    ++waiting_;
    ++sleeps_;
    const std::cv_status status = arrived_.wait_until(lock, until);
    --waiting_;
    if (status == std::cv_status::timeout) break;
  }
  return take(request);
}

bool MutexQueue::try_pop(Request& request) {
  const std::lock_guard lock(mutex_);
  return take(request);
}

void MutexQueue::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  arrived_.notify_all();
}

bool MutexQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::uint64_t MutexQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

std::uint64_t MutexQueue::sleeps() const {
  const std::lock_guard lock(mutex_);
  return sleeps_;
}

namespace {

/// The semaphore's value is the number of requests that nobody has claimed yet; glibc's post and
/// wait enter the kernel only when somebody sleeps.
class LockfreeQueue final : public RequestQueue {
 public:
  explicit LockfreeQueue(unsigned workers) : workers_(workers) { sem_init(&unclaimed_, 0, 0); }
  ~LockfreeQueue() override { sem_destroy(&unclaimed_); }

  bool push(const Request& request) noexcept override {
    try {
      requests_.push(request);
    } catch (const std::bad_alloc&) {
      return false;
    }
    sem_post(&unclaimed_);
    return true;
  }

  bool pop(unsigned, Request& request) override {
    if (sem_trywait(&unclaimed_) != 0) {
      sleeps_.fetch_add(1, std::memory_order_relaxed);
      while (sem_wait(&unclaimed_) != 0 && errno == EINTR) {
      }
    }
    return claim(request);
  }

  bool try_pop(Request& request) override {
    return sem_trywait(&unclaimed_) == 0 && claim(request);
  }

  void close() noexcept override {
    closed_.store(true, std::memory_order_release);
    for (unsigned i = 0; i < workers_; ++i) sem_post(&unclaimed_);
  }

  std::uint64_t depth() const override {
    return static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(0, requests_.unsafe_size()));
  }
  std::uint64_t sleeps() const override { return sleeps_.load(std::memory_order_relaxed); }

 private:
  /// Having passed the semaphore, this caller is owed a request, except for the passes that close
  /// handed out.
  bool claim(Request& request) {
    while (!requests_.try_pop(request)) {
      if (closed_.load(std::memory_order_acquire)) return requests_.try_pop(request);
    }
    return true;
  }

  const unsigned workers_;
  tbb::concurrent_queue<Request> requests_;
  alignas(64) sem_t unclaimed_;
  std::atomic<std::uint64_t> sleeps_{0};
  std::atomic<bool> closed_{false};
};

class PerWorkerQueues final : public RequestQueue {
 public:
  explicit PerWorkerQueues(unsigned workers) : queues_(workers) {}

  bool push(const Request& request) noexcept override {
    return queues_[turn_.fetch_add(1, std::memory_order_relaxed) % queues_.size()].queue.push(
        request);
  }
  bool pop(unsigned worker, Request& request) override {
    return queues_[worker].queue.pop(worker, request);
  }
  bool try_pop(Request& request) override {
    for (Padded& each : queues_) {
      if (each.queue.try_pop(request)) return true;
    }
    return false;
  }
  void close() noexcept override {
    for (Padded& each : queues_) each.queue.close();
  }
  std::uint64_t depth() const override {
    std::uint64_t total = 0;
    for (const Padded& each : queues_) total += each.queue.depth();
    return total;
  }
  std::uint64_t sleeps() const override {
    std::uint64_t total = 0;
    for (const Padded& each : queues_) total += each.queue.sleeps();
    return total;
  }

 private:
  struct alignas(64) Padded {
    MutexQueue queue;
  };
  std::vector<Padded> queues_;
  std::atomic<std::uint64_t> turn_{0};
};

}  // namespace

std::unique_ptr<RequestQueue> make_request_queue(std::string_view kind, unsigned workers) {
  if (kind == "lockfree") return std::make_unique<LockfreeQueue>(workers);
  if (kind == "per_worker") return std::make_unique<PerWorkerQueues>(workers);
  return std::make_unique<MutexQueue>();
}

}  // namespace precipice
