// thread_per_request: an acceptor thread on the model's CPUs creates a thread for every request;
// the request waits by blocking it.
//
// Threads are joinable, and only the acceptor creates, lists, interrupts and joins them, so none of
// that needs a lock, and when the last join has returned no thread is left in the model's memory (a
// detached thread could still be inside its last unlock). A finished thread puts its record on a
// lock-free stack; the acceptor collects them between creations and asks without waiting
// (pthread_tryjoin_np) whether the oldest have left, so a thread that lost its CPU on the way out
// holds nobody up.
#include <limits.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "models/admission.hpp"
#include "models/blocking_io.hpp"
#include "models/interrupt_rounds.hpp"
#include "models/model.hpp"
#include "models/new_thread.hpp"
#include "models/request_queue.hpp"
#include "models/thread_limits.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// While threads live, an idle acceptor looks this often for some to join.
constexpr Nanos kReapInterval = std::chrono::milliseconds(5);

// Inside a function, so that it is there whoever asks first.
const std::vector<OptionKey>& thread_per_request_keys() {
  static const std::vector<OptionKey> all = {
      {"stack", "128KiB",
       "stack of each thread, at least PTHREAD_STACK_MIN. Frames of requests are on the heap, so "
       "128KiB is ample; glibc keeps 40 MiB of used stacks, that is 320 of these, and only beyond "
       "that does a creation cost an mmap and an munmap"},
      {"threads", "0",
       "most threads at once; past it, shed. 0 leaves it to the kernel's own limits"},
      {"in_flight_limit", kInFlightLimitDefault,
       "most requests accepted and not ended, those waiting for their thread included; past it, "
       "shed. The default protects memory, not latency"},
      {"deadline", "0s",
       "refuse a request that is older than this when the acceptor takes it; 0 is never"},
  };
  return all;
}

std::size_t checked_stack(const Options& options) {
  const std::uint64_t bytes = options.bytes("stack");
  const auto least = static_cast<std::uint64_t>(PTHREAD_STACK_MIN);
  if (bytes < least || bytes > (std::uint64_t{1} << 30)) {
    throw UsageError("thread_per_request: stack=" + options.text("stack") + " must be between " +
                     std::to_string(least) + " bytes (PTHREAD_STACK_MIN) and 1GiB");
  }
  return (bytes + 4095) & ~std::uint64_t{4095};
}

class ThreadPerRequest final : public Model {
 public:
  explicit ThreadPerRequest(const Options& options)
      : stack_bytes_(checked_stack(options)),
        thread_cap_(options.count("threads", 0, 10'000'000)),
        deadline_(options.duration("deadline")),
        admission_(options.count("in_flight_limit", 1, 1'000'000'000)) {}
  ~ThreadPerRequest() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet&) const override { return 1; }

  void start(const ModelSetup& setup) override {
    install_interrupt_signal();
    job_ = setup.job;
    std::exception_ptr error;
    std::atomic<bool> ready{false};
    try {
      io_ = std::make_unique<BlockingIo>();
      map_cap_ = threads_that_maps_allow();
      acceptor_ = new_thread("the acceptor thread", [&, this] {
        try {
          // Affinity, timer slack and name pass on to every thread that the acceptor creates.
          pin_this_thread(setup.cpus);
          remove_timer_slack();
          name_this_thread("per-request");
          accept_interrupts();
        } catch (...) {
          error = std::current_exception();
        }
        const bool usable = error == nullptr;
        ready.store(true);
        ready.notify_one();
        if (usable) accept_requests();
      });
    } catch (...) {
      throw_unavailable("thread_per_request");
    }
    ready.wait(false);
    if (error) {
      acceptor_.join();
      std::rethrow_exception(error);
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    if (queue_.push(request)) return Refusal::none;
    admission_.leave();
    return Refusal::memory;
  }

  void shutdown(Time deadline) noexcept override {
    admission_.close();
    if (!acceptor_.joinable()) return;
    if (!admission_.wait_until_empty(deadline)) {
      refusing_.store(true, std::memory_order_relaxed);
      io_->cancel();
    }
    queue_.close();
    acceptor_.join();
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }

  ModelStats stats() const override {
    ModelStats stats = {
        {"threads", static_cast<double>(live_.load(std::memory_order_relaxed) + 1)},
        {"threads_peak", static_cast<double>(live_peak_.load(std::memory_order_relaxed) + 1)},
        {"threads_created", static_cast<double>(created_.load(std::memory_order_relaxed))},
        {"queue_depth", static_cast<double>(queue_.depth())},
        {"wakeups", static_cast<double>(queue_.sleeps())},
        {"threads_refused", static_cast<double>(refused_.load(std::memory_order_relaxed))}};
    if (const char* name = limited_by_.load(std::memory_order_acquire)) {
      stats.emplace_back(std::string("limited_by_") + name, 1.0);
    }
    return stats;
  }

 private:
  /// One thread and its request. Owned by the acceptor, lent to the thread.
  struct Record {
    Request request;
    ThreadPerRequest* model = nullptr;
    pthread_t thread{};
    ExecutingFlag executing;
    Record* next = nullptr;  // in whichever list it is: free, finished, leaving
    Record* previous_live = nullptr;
    Record* next_live = nullptr;
  };

  void accept_requests() {
    pthread_attr_init(&attributes_);
    pthread_attr_setstacksize(&attributes_, stack_bytes_);
    Request request;
    for (;;) {
      const bool any_live = first_live_ != nullptr;
      if (any_live ? queue_.pop_until(request, Io::now() + kReapInterval)
                   : queue_.pop(0, request)) {
        reap(false);
        begin(request);
      } else if (queue_.closed()) {
        break;
      } else {
        reap(false);
      }
    }
    // Closed and empty: what is left are threads on their way out, or cancelled ones that must be
    // woken until they notice; and a submitter that came in just before the door shut and pushes
    // only now, after the queue was closed.
    while (first_live_ != nullptr || admission_.count() != 0) {
      while (queue_.try_pop(request)) refuse(request, Refusal::shutdown);
      if (io_->cancelled()) {
        const Time round_began = Io::now();
        for (Record* each = first_live_; each != nullptr; each = each->next_live) {
          each->executing.interrupt(each->thread);
        }
        const Time round_ended = Io::now();
        const Time gap_ends = round_ended + gap_after_interrupts(round_ended - round_began);
        do {
          reap(false);
          if (first_live_ != nullptr) std::this_thread::sleep_for(std::chrono::microseconds(200));
        } while (first_live_ != nullptr && Io::now() < gap_ends);
      } else {
        reap(true);  // all have ended their requests, so this waits for exits only
        std::this_thread::yield();
      }
    }
    while (Record* record = free_) {
      free_ = record->next;
      delete record;
    }
    pthread_attr_destroy(&attributes_);
  }

  void begin(const Request& request) {
    if (refusing_.load(std::memory_order_relaxed)) return refuse(request, Refusal::shutdown);
    if (deadline_ > Nanos{0} && Io::now() - request.intended > deadline_) {
      return refuse(request, Refusal::deadline);
    }
    const std::uint64_t live = live_.load(std::memory_order_relaxed);
    if (thread_cap_ != 0 && live >= thread_cap_) return refuse(request, Refusal::limit);
    if (live >= map_cap_) {
      note_limit("max_map_count");
      return refuse(request, Refusal::threads);
    }
    Record* record = free_;
    if (record != nullptr) {
      free_ = record->next;
    } else if (record = new (std::nothrow) Record; record == nullptr) {
      return refuse(request, Refusal::memory);
    }
    record->request = request;
    record->model = this;
    int error = pthread_create(&record->thread, &attributes_, run_thread, record);
    if (error != 0) {
      // Threads that have ended but not been joined still hold their stacks.
      reap(true);
      error = pthread_create(&record->thread, &attributes_, run_thread, record);
    }
    if (error != 0) {
      record->next = free_;
      free_ = record;
      note_limit(nullptr);
      return refuse(request, Refusal::threads);
    }
    record->previous_live = nullptr;
    record->next_live = first_live_;
    if (first_live_ != nullptr) first_live_->previous_live = record;
    first_live_ = record;
    created_.fetch_add(1, std::memory_order_relaxed);
    live_.store(live_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (live + 1 > live_peak_.load(std::memory_order_relaxed)) live_peak_.store(live + 1);
  }

  static void* run_thread(void* argument) {
    auto* record = static_cast<Record*>(argument);
    ThreadPerRequest& model = *record->model;
    {
      const ExecutingFlag::Scope executing(record->executing);
      execute(
          model.job_, *model.io_, record->request,
          [](void* self) { static_cast<ThreadPerRequest*>(self)->admission_.leave(); }, &model);
    }
    Record* head = model.finished_.load(std::memory_order_relaxed);
    do {
      record->next = head;
    } while (!model.finished_.compare_exchange_weak(head, record, std::memory_order_release,
                                                    std::memory_order_relaxed));
    return nullptr;
  }

  /// Joins threads that have finished, oldest first; stops at one that is still on its way out
  /// unless told to wait for it.
  void reap(bool wait) {
    if (finished_.load(std::memory_order_relaxed) != nullptr) {
      Record* newest = finished_.exchange(nullptr, std::memory_order_acquire);
      Record* oldest = nullptr;
      Record* const last = newest;
      while (newest != nullptr) {
        Record* const older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
      }
      (leaving_last_ != nullptr ? leaving_last_->next : leaving_) = oldest;
      leaving_last_ = last;
    }
    while (Record* record = leaving_) {
      if (wait) {
        pthread_join(record->thread, nullptr);
      } else if (pthread_tryjoin_np(record->thread, nullptr) != 0) {
        return;
      }
      leaving_ = record->next;
      if (leaving_ == nullptr) leaving_last_ = nullptr;
      (record->previous_live != nullptr ? record->previous_live->next_live : first_live_) =
          record->next_live;
      if (record->next_live != nullptr) record->next_live->previous_live = record->previous_live;
      record->next = free_;
      free_ = record;
      live_.store(live_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    }
  }

  void refuse(const Request& request, Refusal why) noexcept {
    if (why == Refusal::threads) refused_.fetch_add(1, std::memory_order_relaxed);
    job_.refuse(job_.context, request, why);
    admission_.leave();
  }

  /// Reading the limits takes milliseconds, so only the first refusal does it.
  void note_limit(const char* name) noexcept {
    if (limited_by_.load(std::memory_order_relaxed) != nullptr) return;
    try {
      limit_name_ = name != nullptr ? name : limit_that_was_hit().name;
    } catch (...) {  // no memory or no descriptor to find out
      limit_name_ = "memory";
    }
    limited_by_.store(limit_name_.c_str(), std::memory_order_release);
  }

  const std::size_t stack_bytes_;
  const std::uint64_t thread_cap_;
  const Nanos deadline_;
  Admission admission_;
  Job job_;
  std::unique_ptr<BlockingIo> io_;
  MutexQueue queue_;
  std::thread acceptor_;
  std::atomic<bool> refusing_{false};

  // The acceptor's own.
  pthread_attr_t attributes_{};
  std::uint64_t map_cap_ = 0;
  Record* free_ = nullptr;
  Record* first_live_ = nullptr;
  Record* leaving_ = nullptr;
  Record* leaving_last_ = nullptr;
  std::string limit_name_;

  alignas(64) std::atomic<Record*> finished_{nullptr};
  std::atomic<std::uint64_t> live_{0};
  std::atomic<std::uint64_t> live_peak_{0};
  std::atomic<std::uint64_t> created_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<const char*> limited_by_{nullptr};
};

}  // namespace

ModelInfo thread_per_request_model() {
  return {"thread_per_request",
          "a new thread for every request, created by an acceptor; a request blocks its thread",
          false,
          thread_per_request_keys(),
          [](const Options& options) -> std::unique_ptr<Model> {
            return std::make_unique<ThreadPerRequest>(options);
          },
          []() -> std::optional<std::string> { return std::nullopt; }};
}

}  // namespace precipice
