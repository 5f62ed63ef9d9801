// fixed_pool: a fixed number of threads take requests from a queue, and each waits for what its
// request waits for. The model's capacity for waiting is its thread count.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "models/admission.hpp"
#include "models/blocking_io.hpp"
#include "models/futex_hash.hpp"
#include "models/interrupt_rounds.hpp"
#include "models/model.hpp"
#include "models/new_thread.hpp"
#include "models/request_queue.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// Inside a function, so that it is there whoever asks first.
const std::vector<OptionKey>& fixed_pool_keys() {
  static const std::vector<OptionKey> all = {
      {"threads", "64",
       "threads in the pool, 1 to 100000. 64 because these threads also do the waiting: as many as "
       "CPUs would leave the CPUs idle at the first wait, while 64 let 64 requests wait at once "
       "and "
       "still cost CPU-bound work little (a request shorter than a time slice runs to its end)"},
      {"queue", "mutex",
       "mutex (one queue, mutex and condition variable: the usual choice), lockfree (one "
       "tbb::concurrent_queue and a semaphore) or per_worker (one mutex queue per thread, filled "
       "in "
       "turn)"},
      {"in_flight_limit", kInFlightLimitDefault,
       "most requests accepted and not ended; past it, shed. The default protects memory, not "
       "latency"},
      {"deadline", "0s",
       "refuse a request that is older than this when a thread takes it; 0 is never, so that the "
       "curve shows the queue as it is"},
  };
  return all;
}

class FixedPool final : public Model {
 public:
  explicit FixedPool(const Options& options)
      : thread_count_(static_cast<unsigned>(options.count("threads", 1, 100'000))),
        queue_kind_(options.choice("queue", {"mutex", "lockfree", "per_worker"})),
        deadline_(options.duration("deadline")),
        admission_(options.count("in_flight_limit", 1, 1'000'000'000)) {}
  ~FixedPool() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet&) const override { return 1; }

  void start(const ModelSetup& setup) override {
    install_interrupt_signal();
    job_ = setup.job;
    try {
      // Not before: options are checked by constructing a model, and a queue for each of 100,000
      // workers takes its time.
      queue_ = make_request_queue(queue_kind_, thread_count_);
      io_ = std::make_unique<BlockingIo>();
      executing_ = std::vector<PaddedFlag>(thread_count_);
      threads_.reserve(thread_count_);
      spread_futexes(thread_count_);
      for (unsigned i = 0; i < thread_count_; ++i) {
        // One must be there to end what may still be submitted.
        if (i > 0 && setup.cut_short != nullptr && setup.cut_short->load()) break;
        threads_.push_back(new_thread(
            "fixed_pool: thread " + std::to_string(i + 1) + " of " + std::to_string(thread_count_) +
                " (threads=" + std::to_string(i / 2 + 1) + " would leave room)",
            [this, i, &setup] { work(i, setup.cpus); }));
      }
    } catch (...) {
      stop_threads();
      throw_unavailable("fixed_pool");
    }
    // Looked at, so that no thread need wake this one: each would find it in the way of the next.
    while (ready_.load(std::memory_order_acquire) != threads_.size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (start_error_) {
      stop_threads();
      std::rethrow_exception(start_error_);
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    if (queue_->push(request)) return Refusal::none;
    admission_.leave();
    return Refusal::memory;
  }

  void shutdown(Time deadline) noexcept override {
    admission_.close();
    if (threads_.empty()) return;
    if (!admission_.wait_until_empty(deadline)) {
      refusing_.store(true, std::memory_order_relaxed);
      io_->cancel();
      refuse_queued();  // a long queue is no part of a round
      interrupt_until_empty(admission_, [this] {
        refuse_queued();
        for (std::size_t i = 0; i < threads_.size(); ++i) {
          executing_[i].flag.interrupt(threads_[i].native_handle());
        }
      });
    }
    stop_threads();
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }

  ModelStats stats() const override {
    if (queue_ == nullptr) return {{"threads", static_cast<double>(thread_count_)}};
    return {{"threads", static_cast<double>(thread_count_)},
            {"queue_depth", static_cast<double>(queue_->depth())},
            {"wakeups", static_cast<double>(queue_->sleeps())}};
  }

 private:
  /// On a cache line of its own, since its thread writes it twice a request.
  struct alignas(64) PaddedFlag {
    ExecutingFlag flag;
  };

  void work(unsigned index, const CpuSet& cpus) {
    try {
      pin_this_thread(cpus);
    } catch (...) {
      const std::lock_guard lock(start_mutex_);
      start_error_ = std::current_exception();
    }
    name_this_thread("pool-" + std::to_string(index));
    remove_timer_slack();
    accept_interrupts();
    ready_.fetch_add(1, std::memory_order_release);
    // From here on `cpus` may be gone.
    Request request;
    while (queue_->pop(index, request)) {
      if (refusing_.load(std::memory_order_relaxed)) {
        refuse(request, Refusal::shutdown);
      } else if (deadline_ > Nanos{0} && Io::now() - request.intended > deadline_) {
        refuse(request, Refusal::deadline);
      } else {
        const ExecutingFlag::Scope executing(executing_[index].flag);
        execute(
            job_, *io_, request,
            [](void* self) { static_cast<FixedPool*>(self)->admission_.leave(); }, this);
      }
    }
  }

  void refuse_queued() noexcept {
    Request request;
    while (queue_->try_pop(request)) refuse(request, Refusal::shutdown);
  }

  void refuse(const Request& request, Refusal why) noexcept {
    job_.refuse(job_.context, request, why);
    admission_.leave();
  }

  void stop_threads() noexcept {
    if (queue_) queue_->close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const unsigned thread_count_;
  const std::string queue_kind_;
  std::unique_ptr<RequestQueue> queue_;  ///< from start() on
  const Nanos deadline_;
  Admission admission_;
  Job job_;
  std::unique_ptr<BlockingIo> io_;
  std::vector<PaddedFlag> executing_;  ///< one per thread, from start() on
  std::vector<std::thread> threads_;
  std::atomic<bool> refusing_{false};

  std::mutex start_mutex_;
  std::atomic<std::size_t> ready_{0};
  std::exception_ptr start_error_;  ///< under start_mutex_ until all are ready
};

}  // namespace

ModelInfo fixed_pool_model() {
  return {"fixed_pool",
          "a fixed number of threads and a queue; a request waits by blocking its thread",
          false,
          fixed_pool_keys(),
          [](const Options& options) -> std::unique_ptr<Model> {
            return std::make_unique<FixedPool>(options);
          },
          []() -> std::optional<std::string> { return std::nullopt; }};
}

}  // namespace precipice
