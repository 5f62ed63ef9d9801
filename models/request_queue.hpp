// Where requests wait for a worker: three ways to build the same unbounded queue (the model's
// in-flight limit bounds it), because contention on one queue is itself a result.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "models/request.hpp"

namespace precipice {

/// Many producers, many consumers. A producer that finds nobody asleep makes no system call.
class RequestQueue {
 public:
  RequestQueue() = default;
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;
  virtual ~RequestQueue() = default;

  /// False when there is no memory for it.
  virtual bool push(const Request& request) noexcept = 0;
  /// Waits for a request. False once the queue is closed and empty. `worker` is the caller's
  /// number, below the one that the queue was made for.
  virtual bool pop(unsigned worker, Request& request) = 0;
  /// Takes whatever is there, from any worker's share.
  virtual bool try_pop(Request& request) = 0;
  /// Lets pop answer false once nothing is left. Nothing is pushed afterwards.
  virtual void close() noexcept = 0;
  virtual std::uint64_t depth() const = 0;
  /// How often a consumer went to sleep: each is a wake-up that some request paid for.
  virtual std::uint64_t sleeps() const = 0;
};

/// A deque under a mutex with a condition variable: the textbook queue. FIFO.
class MutexQueue final : public RequestQueue {
 public:
  bool push(const Request& request) noexcept override;
  bool pop(unsigned worker, Request& request) override;
  bool try_pop(Request& request) override;
  void close() noexcept override;
  std::uint64_t depth() const override;
  std::uint64_t sleeps() const override;

  /// Waits no longer than `until`; false when there is none by then.
  bool pop_until(Request& request, Time until);
  bool closed() const;

 private:
  bool take(Request& request);

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Request> requests_;
  std::uint64_t waiting_ = 0;
  std::uint64_t sleeps_ = 0;
  bool closed_ = false;
};

/// `mutex`, `lockfree` (tbb::concurrent_queue with a semaphore that counts what is in it) or
/// `per_worker` (one MutexQueue per worker, filled in turn, nothing stolen).
std::unique_ptr<RequestQueue> make_request_queue(std::string_view kind, unsigned workers);

}  // namespace precipice
