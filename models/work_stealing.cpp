// work_stealing: a oneTBB arena (2021.8) runs the requests. With io=block a task waits on its
// worker, which is then lost to the arena: the textbook mistake, shown for what it costs. With
// io=suspend the operation goes to a reactor thread, and when it ends the coroutine's resume is
// enqueued to the arena. (tbb::task::suspend would keep one stack per waiting request and bind it
// to the arena.)
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "models/admission.hpp"
#include "models/arena_enqueue.hpp"
#include "models/arena_workers.hpp"
#include "models/asio_operations.hpp"
#include "models/blocking_io.hpp"
#include "models/interrupt_rounds.hpp"
#include "models/model.hpp"
#include "models/new_thread.hpp"
#include "models/offload_pool.hpp"
#include "models/pinned_thread.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// How long start waits for the arena's workers; the kernel may grant fewer than were asked for.
constexpr Nanos kWarmUpLimit = std::chrono::seconds(2);

// Inside a function, so that it is there whoever asks first.
const std::vector<OptionKey>& work_stealing_keys() {
  static const std::vector<OptionKey> all = {
      {"threads", "",
       "workers of the arena, 1 to 10000; default: one per CPU of the model's set, as oneTBB "
       "itself "
       "sizes an arena, because a task is expected to compute and not to wait"},
      {"io", "suspend",
       "suspend (a wait gives the worker back: operations go to one reactor thread, resumes to the "
       "arena) or block (a wait keeps its worker)"},
      {"offload_threads", kOffloadThreadsDefault,
       "io=suspend: threads that read files, which no reactor can poll, 1 to 1024; 4 as in libuv"},
      {"in_flight_limit", kInFlightLimitDefault,
       "most requests accepted and not ended; past it, shed. The default protects memory, not "
       "latency"},
      {"deadline", "0s",
       "refuse a request that is older than this when a worker takes it; 0 is never"},
  };
  return all;
}

/// Makes and ends as many threads as the model will have. oneTBB 2021.8 does not recover from a
/// thread that it cannot launch: it loses the worker's place for the life of the process, and
/// throws out of an enqueue that has already happened. So the kernel is asked before oneTBB asks
/// it.
void rehearse_threads(unsigned count) {
  std::mutex held;
  std::unique_lock lock(held);
  std::vector<std::thread> threads;
  struct Join {
    std::unique_lock<std::mutex>& lock;
    std::vector<std::thread>& threads;
    ~Join() {
      lock.unlock();
      for (std::thread& thread : threads) thread.join();
    }
  } const join{lock, threads};
  threads.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    threads.push_back(new_thread("thread " + std::to_string(i + 1) + " of " + std::to_string(count),
                                 [&held] { const std::lock_guard wait(held); }));
  }
}

/// Operations on one reactor thread; resumes in the arena.
class SuspendingIo final : public Io {
 public:
  /// Throws Unavailable.
  SuspendingIo(tbb::task_arena& arena, const CpuSet& cpus, unsigned offload_threads)
      : arena_(arena),
        offload_(std::make_unique<OffloadPool>(offload_threads, cpus)),
        operations_(context_, *offload_, AsioOperations::Threads::many, &completed, this,
                    AsioOperations::Hook::on_any_thread),
        work_(context_.get_executor()) {
    start_thread(reactor_, "reactor", cpus, [this] { context_.run(); });
  }
  ~SuspendingIo() override { stop(); }

  void close(int socket) noexcept override { operations_.close(socket); }
  Lease lease(std::size_t bytes) override { return {*this, operations_.lend(bytes), bytes}; }
  void wake(IoOp& op) noexcept override { resume_in_arena(op, 0); }

  void cancel() noexcept { operations_.cancel_all(); }
  std::uint64_t resumes() const noexcept { return resumes_.load(std::memory_order_relaxed); }
  std::uint64_t waiting() const noexcept { return operations_.waiting(); }
  unsigned threads() const noexcept { return 1 + offload_->threads(); }

 protected:
  Start start(IoOp& op) override {
    // The arena's workers are where compute belongs; a gate needs no reactor.
    if (op.kind == IoOp::Kind::compute) {
      op.result = static_cast<std::int64_t>((*op.arguments.work)());
      return Start::completed;
    }
    if (op.kind == IoOp::Kind::acquire) return op.arguments.gate->enter_or_queue(op);
    return operations_.start(op);
  }
  void give_back(std::byte* data, std::size_t bytes) noexcept override {
    operations_.give_back(data, bytes);
  }

 private:
  static void completed(void* self, IoOp& op, std::int64_t result) {
    static_cast<SuspendingIo*>(self)->resume_in_arena(op, result);
  }

  void resume_in_arena(IoOp& op, std::int64_t result) noexcept {
    resumes_.fetch_add(1, std::memory_order_relaxed);
    try {
      enqueue(arena_, [&op, result] { op.finish(result); });
    } catch (const std::bad_alloc&) {  // no task: late is better than never, so resume it here
      op.finish(result);
    } catch (...) {  // a worker more could not be launched; the task is queued for the others
    }
  }

  void stop() noexcept {
    work_.reset();
    for (std::thread& thread : reactor_) thread.join();
    // Before the operations go: its threads may still be on their way out of them.
    offload_.reset();
  }

  tbb::task_arena& arena_;
  // One thread runs it, others post: hint 1 keeps the locks that posting needs.
  boost::asio::io_context context_{1};
  std::unique_ptr<OffloadPool> offload_;
  AsioOperations operations_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> reactor_;
  std::atomic<std::uint64_t> resumes_{0};
};

class WorkStealing final : public Model {
 public:
  explicit WorkStealing(const Options& options)
      : thread_count_(options.text("threads").empty()
                          ? 0
                          : static_cast<unsigned>(options.count("threads", 1, 10'000))),
        suspend_(options.choice("io", {"block", "suspend"}) == "suspend"),
        offload_threads_(static_cast<unsigned>(options.count("offload_threads", 1, 1024))),
        deadline_(options.duration("deadline")),
        admission_(options.count("in_flight_limit", 1, 1'000'000'000)) {}
  ~WorkStealing() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet&) const override { return 1; }

  void start(const ModelSetup& setup) override {
    install_interrupt_signal();
    job_ = setup.job;
    if (thread_count_ == 0) thread_count_ = static_cast<unsigned>(setup.cpus.size());
    try {
      rehearse_threads(thread_count_ + (suspend_ ? offload_threads_ + 1 : 0));
      // The arena's size alone does not raise the number of workers past the CPUs, and the limit
      // counts the thread that is outside as well.
      allowed_ = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                       thread_count_ + 1);
      arena_ = std::make_unique<tbb::task_arena>(static_cast<int>(thread_count_), 0);
      arena_->initialize();
      workers_ = std::make_unique<ArenaWorkers>(*arena_, setup.cpus, thread_count_ + 1);
      if (suspend_) {
        suspending_ = std::make_unique<SuspendingIo>(*arena_, setup.cpus, offload_threads_);
      } else {
        blocking_ = std::make_unique<BlockingIo>();
      }
      warm_up();
      workers_->rethrow_error();
    } catch (...) {
      take_down();
      throw_unavailable("work_stealing: oneTBB's arena of " + std::to_string(thread_count_) +
                        " workers");
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    try {
      enqueued_.fetch_add(1, std::memory_order_relaxed);
      enqueue(*arena_, [this, request] { begin(request); });
    } catch (const std::bad_alloc&) {
      enqueued_.fetch_sub(1, std::memory_order_relaxed);
      admission_.leave();
      return Refusal::memory;
    } catch (...) {  // a worker more could not be launched; the task is queued for the others
    }
    return Refusal::none;
  }

  void shutdown(Time deadline) noexcept override {
    admission_.close();
    if (down_ || !arena_) return;
    if (!admission_.wait_until_empty(deadline)) {
      refusing_.store(true, std::memory_order_relaxed);
      if (blocking_) blocking_->cancel();
      if (suspending_) suspending_->cancel();
      interrupt_until_empty(admission_, [this] {
        if (blocking_) workers_->interrupt_executing();
      });
    }
    take_down();
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }

  ModelStats stats() const override {
    const std::lock_guard lock(stats_mutex_);
    if (down_ || !workers_) return last_stats_;
    return current_stats();
  }

 private:
  void begin(const Request& request) noexcept {
    begun_.fetch_add(1, std::memory_order_relaxed);
    if (refusing_.load(std::memory_order_relaxed)) return refuse(request, Refusal::shutdown);
    if (deadline_ > Nanos{0} && Io::now() - request.intended > deadline_) {
      return refuse(request, Refusal::deadline);
    }
    Io& io = suspend_ ? static_cast<Io&>(*suspending_) : *blocking_;
    const ExecutingFlag::Scope executing(ArenaWorkers::flag_of_this_thread());
    execute(
        job_, io, request, [](void* self) { static_cast<WorkStealing*>(self)->admission_.leave(); },
        this);
  }

  void refuse(const Request& request, Refusal why) noexcept {
    job_.refuse(job_.context, request, why);
    admission_.leave();
  }

  /// A cold arena's first hand-off takes 40 to 56 us, a warm one 2 to 5: holds one task on each
  /// worker until all have come. Kept on the heap, because a worker that is late still comes to it.
  void warm_up() {
    struct Meeting {
      std::mutex mutex;
      std::condition_variable changed;
      unsigned arrived = 0;
      bool over = false;
    };
    const auto meeting = std::make_shared<Meeting>();
    // However this ends, nobody is kept waiting.
    const std::unique_ptr<Meeting, void (*)(Meeting*)> dismissal(meeting.get(), [](Meeting* held) {
      const std::lock_guard lock(held->mutex);
      held->over = true;
      held->changed.notify_all();
    });
    for (unsigned i = 0; i < thread_count_; ++i) {
      enqueue(*arena_, [meeting] {
        std::unique_lock lock(meeting->mutex);
        ++meeting->arrived;
        meeting->changed.notify_all();
        meeting->changed.wait(lock, [&] { return meeting->over; });
      });
    }
    {
      std::unique_lock lock(meeting->mutex);
      meeting->changed.wait_until(lock, Io::now() + kWarmUpLimit,
                                  [&] { return meeting->arrived == thread_count_; });
      warmed_ = meeting->arrived;
    }
    if (warmed_ == 0) throw std::runtime_error("no worker came within 2 s");
  }

  void take_down() noexcept {
    const std::lock_guard lock(stats_mutex_);
    try {
      if (workers_) last_stats_ = current_stats();
    } catch (const std::bad_alloc&) {  // no memory for the figures; the end does not wait for them
    }
    suspending_.reset();
    workers_.reset();
    allowed_.reset();
    blocking_.reset();
    down_ = true;
  }

  ModelStats current_stats() const {
    const std::uint64_t begun = begun_.load(std::memory_order_relaxed);
    const std::uint64_t enqueued = enqueued_.load(std::memory_order_relaxed);
    const unsigned others = suspending_ ? suspending_->threads() : 0;
    ModelStats stats = {
        {"threads", static_cast<double>(workers_->most() + others)},
        {"queue_depth", static_cast<double>(enqueued > begun ? enqueued - begun : 0)},
        {"arena_workers", static_cast<double>(workers_->most())},
        {"arena_workers_warm", static_cast<double>(warmed_)},
        {"arena_entries", static_cast<double>(workers_->entries())}};
    if (suspending_) {
      stats.emplace_back("waiting", static_cast<double>(suspending_->waiting()));
      stats.emplace_back("resumes", static_cast<double>(suspending_->resumes()));
    }
    return stats;
  }

  unsigned thread_count_;
  const bool suspend_;
  const unsigned offload_threads_;
  const Nanos deadline_;
  Admission admission_;
  Job job_;
  unsigned warmed_ = 0;
  std::unique_ptr<tbb::global_control> allowed_;
  // Until the model's own end: a submitter may still be inside enqueue when its request has ended.
  std::unique_ptr<tbb::task_arena> arena_;
  std::unique_ptr<ArenaWorkers> workers_;
  std::unique_ptr<BlockingIo> blocking_;
  std::unique_ptr<SuspendingIo> suspending_;
  std::atomic<bool> refusing_{false};
  alignas(64) std::atomic<std::uint64_t> enqueued_{0};
  alignas(64) std::atomic<std::uint64_t> begun_{0};
  mutable std::mutex stats_mutex_;
  ModelStats last_stats_;
  bool down_ = false;
};

}  // namespace

ModelInfo work_stealing_model() {
  return {
      "work_stealing",
      "a oneTBB arena; a request suspends (io=suspend, resumed by a reactor) or blocks a worker",
      false,
      work_stealing_keys(),
      [](const Options& options) -> std::unique_ptr<Model> {
        return std::make_unique<WorkStealing>(options);
      },
      []() -> std::optional<std::string> { return std::nullopt; }};
}

}  // namespace precipice
