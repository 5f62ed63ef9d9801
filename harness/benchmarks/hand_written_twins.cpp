#include "harness/benchmarks/hand_written_twins.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/benchmarks/support.hpp"
#include "harness/trial/arrivals.hpp"
#include "models/pinned_thread.hpp"

namespace precipice::bench {
namespace {

namespace asio = boost::asio;

struct PlainRequest {
  std::uint64_t id = 0;
  std::uint64_t seed = 0;
};

/// The closed loop around a queue with `push(PlainRequest)`: what a worker does with each request.
template <class Queue>
class ClosedWork {
 public:
  ClosedWork(const TwinRun& run, Queue& queue)
      : run_(run), queue_(queue), epoch_ns_(bench::now_ns()) {}

  void begin() {
    for (std::uint64_t i = 0; i < run_.depth; ++i) issue();
  }
  void serve(const PlainRequest& request) {
    run_.slots[request.id].begin_ns = now();
    const std::uint64_t digest = run_.work.compute(request.seed)();
    const std::int64_t at = now();
    run_.slots.complete(request.id, at, Outcome::ok(digest));
    run_.in_flight.leave(at);
    issue();
    ended_.fetch_add(1, std::memory_order_release);
  }
  void wait() { wait_until(ended_, run_.slots.size()); }

 private:
  std::int64_t now() const { return bench::now_ns() - epoch_ns_; }
  void issue() {
    const std::int64_t at = now();
    const std::uint64_t id = next_.fetch_add(1, std::memory_order_relaxed);
    if (id >= run_.slots.size()) return;
    Sent& sent = run_.slots.sent(id);
    sent.dispatch_ns = at;
    run_.in_flight.enter(at);
    queue_.push({id, request_seed(run_.schedule_seed, id)});
    sent.submit_ns = static_cast<std::int32_t>(now() - at);
  }

  const TwinRun& run_;
  Queue& queue_;
  const std::int64_t epoch_ns_;
  std::atomic<std::uint64_t> next_{0};
  alignas(64) std::atomic<std::uint64_t> ended_{0};
};

class PostedQueue {
 public:
  PostedQueue() : context_(1), work_(asio::make_work_guard(context_)) {}

  void serve_with(ClosedWork<PostedQueue>& work) { served_by_ = &work; }
  void push(const PlainRequest& request) {
    asio::post(context_.get_executor(), Handler{served_by_, request});
  }
  void run() { context_.run(); }
  void close() { work_.reset(); }

 private:
  struct Handler {
    ClosedWork<PostedQueue>* work;
    PlainRequest request;
    void operator()() const { work->serve(request); }
  };

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  ClosedWork<PostedQueue>* served_by_ = nullptr;
};

class LockedQueue {
 public:
  void push(const PlainRequest& request) {
    bool asleep = false;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      asleep = waiting_ > 0;
    }
    if (asleep) arrived_.notify_one();
  }
  bool pop(PlainRequest& request) {
    std::unique_lock lock(mutex_);
    while (requests_.empty() && !closed_) {
      ++waiting_;
      arrived_.wait(lock);
      --waiting_;
    }
    if (requests_.empty()) return false;
    request = requests_.front();
    requests_.pop_front();
    return true;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<PlainRequest> requests_;
  unsigned waiting_ = 0;
  bool closed_ = false;
};

}  // namespace

void run_loop_twin(const TwinRun& run, const CpuSet& cpus) {
  PostedQueue queue;
  ClosedWork<PostedQueue> work(run, queue);
  queue.serve_with(work);
  std::vector<std::thread> threads;
  start_thread(threads, "twin-loop", cpus, [&queue] { queue.run(); });
  work.begin();
  work.wait();
  queue.close();
  for (std::thread& thread : threads) thread.join();
}

void run_pool_twin(const TwinRun& run, const CpuSet& cpus, unsigned threads_wanted) {
  LockedQueue queue;
  ClosedWork<LockedQueue> work(run, queue);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < threads_wanted; ++i) {
    start_thread(threads, "twin-" + std::to_string(i), cpus, [&queue, &work] {
      PlainRequest request;
      while (queue.pop(request)) work.serve(request);
    });
  }
  work.begin();
  work.wait();
  queue.close();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace precipice::bench
