// event_loop: one Boost.Asio io_context per CPU, each run by one pinned thread. Requests are posted
// to a loop, run until they wait, and go on when the loop hears of the completion. What cannot be
// polled (reads of files) goes to a few offload threads, as libuv does it.
//
// Hand-off: submit appends to the loop's queue and posts one handler for as many requests as come
// before it runs; Asio writes its eventfd only when the loop sleeps in epoll_wait.
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "models/admission.hpp"
#include "models/asio_operations.hpp"
#include "models/model.hpp"
#include "models/offload_pool.hpp"
#include "models/pinned_thread.hpp"
#include "models/spin.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

namespace asio = boost::asio;

// Requests begun between two looks at epoll: enough to spread the cost of one look, few enough that
// a backlog of arrivals does not hold up the completions of what has begun.
constexpr std::size_t kAdmittedAtOnce = 32;

struct LoopSettings {
  Job job;
  Nanos deadline{0};  // 0: none
  bool shared = false;
  Nanos spin{0};  // 0: blocks at once
};

// One io_context with its queue of arrivals, and the Io of the requests that run on it.
class Loop final : public Io {
 public:
  Loop(unsigned index, const LoopSettings& settings, Admission& admission, OffloadPool& offload)
      : index_(index),
        settings_(settings),
        admission_(admission),
        // One thread runs a loop of its own: Asio then skips waking others, but keeps its locks,
        // which 1.81 drops only under the UNSAFE hints, where posting from outside is a race.
        context_(settings.shared ? BOOST_ASIO_CONCURRENCY_HINT_DEFAULT : 1),
        work_(asio::make_work_guard(context_)),
        operations_(
            context_, offload,
            settings.shared ? AsioOperations::Threads::many : AsioOperations::Threads::one,
            [](void*, IoOp& op, std::int64_t result) { op.finish(result); }, nullptr) {}

  void run() {
    current_ = this;
    settings_.spin > Nanos{0} ? run_spinning() : static_cast<void>(context_.run());
    current_ = nullptr;
  }
  static Loop* current() { return current_; }
  bool belongs_to(const Admission& model) const { return &admission_ == &model; }

  // Accepts the request, or says why not.
  Refusal offer(const Request& request) noexcept {
    bool post = false;
    {
      const std::lock_guard lock(mutex_);
      try {
        arrivals_.push_back(request);
      } catch (const std::bad_alloc&) {
        return Refusal::memory;
      }
      queued_.store(arrivals_.size(), std::memory_order_relaxed);
      post = !std::exchange(admission_posted_, true);
    }
    // Outside the lock, which the loop that this may wake takes first of all.
    if (post) post_admission();
    return Refusal::none;
  }

  // Refuses what has not begun and cancels what waits, on the loop's own thread. Once.
  void cancel() noexcept { asio::post(context_.get_executor(), CancelAll{this}); }

  // Lets the threads leave once nothing is under way.
  void release() { work_.reset(); }

  std::uint64_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
  std::uint64_t posts() const noexcept { return posts_.load(std::memory_order_relaxed); }
  std::uint64_t waiting() const noexcept { return operations_.waiting(); }
  const SpinTallies& spin_tallies() const noexcept { return spin_tallies_; }

  unsigned executor() const noexcept override { return index_; }
  void close(int socket) noexcept override { operations_.close(socket); }
  Lease lease(std::size_t bytes) override { return {*this, operations_.lend(bytes), bytes}; }
  void wake(IoOp& op) noexcept override { operations_.deliver(op, 0); }

 protected:
  Start start(IoOp& op) override { return operations_.start(op); }
  void give_back(std::byte* data, std::size_t bytes) noexcept override {
    operations_.give_back(data, bytes);
  }

 private:
  // A poll asks epoll without a timeout, and runs what is ready.
  void run_spinning() {
    const auto poll = [this] { return context_.poll() > 0 || context_.stopped(); };
    while (!context_.stopped()) {
      if (!poll() && !spin_until(now() + settings_.spin, spin_tallies_, poll)) context_.run_one();
    }
  }

  struct AdmitArrivals {
    using allocator_type = HandlerRoom::Allocator<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type(self->admission_room_); }
    Loop* self;
    void operator()() const { self->admit(); }
  };

  struct CancelAll {
    using allocator_type = HandlerRoom::Allocator<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type(self->cancel_room_); }
    Loop* self;
    void operator()() const { self->cancel_here(); }
  };

  // Needs no memory: there may be none left, and the end must come all the same.
  void cancel_here() {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    operations_.cancel_all();
    for (std::array<Request, kAdmittedAtOnce> batch;;) {
      const std::size_t count = take(batch, kAdmittedAtOnce);
      if (count == 0) return;
      for (std::size_t i = 0; i < count; ++i) refuse(batch[i], Refusal::shutdown);
    }
  }

  std::size_t take(std::array<Request, kAdmittedAtOnce>& batch, std::size_t most) {
    const std::lock_guard lock(mutex_);
    return take_locked(batch, most);
  }
  std::size_t take_locked(std::array<Request, kAdmittedAtOnce>& batch, std::size_t most) {
    const std::size_t count = std::min(arrivals_.size(), most);
    std::copy_n(arrivals_.begin(), count, batch.begin());
    arrivals_.erase(arrivals_.begin(), arrivals_.begin() + static_cast<std::ptrdiff_t>(count));
    queued_.store(arrivals_.size(), std::memory_order_relaxed);
    return count;
  }

  // Whoever calls this has set admission_posted_.
  void post_admission() {
    posts_.fetch_add(1, std::memory_order_relaxed);
    asio::post(context_.get_executor(), AdmitArrivals{this});
  }

  void admit() {
    std::array<Request, kAdmittedAtOnce> batch;
    std::size_t count = 0;
    bool cancelled = false;
    bool post = false;
    {
      const std::lock_guard lock(mutex_);
      // A shared loop's other threads take the rest meanwhile.
      count = take_locked(batch, settings_.shared ? std::size_t{1} : kAdmittedAtOnce);
      cancelled = cancelled_;
      admission_posted_ = post = !arrivals_.empty();
    }
    if (post) post_admission();
    for (std::size_t i = 0; i < count; ++i) {
      // A submitter that came in just before the door shut may arrive after the queue was emptied.
      cancelled ? refuse(batch[i], Refusal::shutdown) : begin(batch[i]);
    }
  }

  void begin(const Request& request) {
    if (settings_.deadline > Nanos{0} && now() - request.intended > settings_.deadline) {
      refuse(request, Refusal::deadline);
      return;
    }
    execute(
        settings_.job, *this, request,
        [](void* admission) { static_cast<Admission*>(admission)->leave(); }, &admission_);
  }

  void refuse(const Request& request, Refusal why) noexcept {
    settings_.job.refuse(settings_.job.context, request, why);
    admission_.leave();
  }

  static thread_local Loop* current_;

  const unsigned index_;
  const LoopSettings settings_;
  Admission& admission_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  AsioOperations operations_;

  std::mutex mutex_;
  std::deque<Request> arrivals_;
  bool cancelled_ = false;
  bool admission_posted_ = false;
  HandlerRoom admission_room_;
  HandlerRoom cancel_room_;
  std::atomic<std::uint64_t> queued_{0};
  std::atomic<std::uint64_t> posts_{0};
  SpinTallies spin_tallies_;
};

thread_local Loop* Loop::current_ = nullptr;

class EventLoop final : public Model {
 public:
  explicit EventLoop(const Options& options)
      : offload_threads_(static_cast<unsigned>(options.count("offload_threads", 1, 1024))),
        admission_(options.count("in_flight_limit", 1, std::uint64_t{1} << 40)),
        deadline_(options.duration("deadline")),
        shared_(options.choice("contexts", {"per_cpu", "shared"}) == "shared"),
        spin_(spin_of(options)) {}
  ~EventLoop() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet& cpus) const override {
    return shared_ ? 1 : static_cast<unsigned>(cpus.size());
  }

  void start(const ModelSetup& setup) override {
    try {
      offload_ = std::make_unique<OffloadPool>(offload_threads_, setup.cpus);
      for (unsigned i = 0; i < executors(setup.cpus); ++i) {
        loops_.push_back(std::make_unique<Loop>(
            i, LoopSettings{setup.job, deadline_, shared_, spin_}, admission_, *offload_));
      }
      for (std::size_t i = 0; i < setup.cpus.size(); ++i) {
        Loop& loop = *loops_[shared_ ? 0 : i];
        start_thread(threads_, "loop/" + std::to_string(i), CpuSet({setup.cpus.list()[i]}),
                     [&loop] { loop.run(); });
      }
    } catch (...) {
      shutdown(Io::now());
      throw_unavailable("event_loop");
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    // Dense ids make this a round robin without a shared counter.
    Loop* loop = Loop::current();
    if (loop == nullptr || !loop->belongs_to(admission_)) {
      loop = loops_[(request.id + request.attempt) % loops_.size()].get();
    }
    const Refusal refusal = loop->offer(request);
    if (refusal != Refusal::none) admission_.leave();
    return refusal;
  }

  void shutdown(Time deadline) noexcept override {
    if (stopped_) return;
    admission_.close();
    if (!admission_.wait_until_empty(deadline)) {
      for (const auto& loop : loops_) loop->cancel();
      admission_.wait_until_empty(Time::max());
    }
    for (const auto& loop : loops_) loop->release();
    for (std::thread& thread : threads_) thread.join();
    stopped_ = true;
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }

  ModelStats stats() const override {
    std::uint64_t queued = 0, posts = 0, waiting = 0;
    for (const auto& loop : loops_) {
      queued += loop->queued();
      posts += loop->posts();
      waiting += loop->waiting();
    }
    const auto figure = [](std::uint64_t value) { return static_cast<double>(value); };
    ModelStats figures{{"threads", figure(stopped_ ? 0 : threads_.size() + offload_threads_)},
                       {"loops", figure(loops_.size())},
                       {"offload_threads", figure(offload_threads_)},
                       {"queue_depth", figure(queued)},
                       {"waiting", figure(waiting)},
                       {"posts", figure(posts)}};
    if (offload_) {
      figures.emplace_back("offload_reads", figure(offload_->reads()));
      figures.emplace_back("offload_queue_depth", figure(offload_->queued()));
    }
    if (spin_ > Nanos{0}) add_spin_figures(loops_, figures);
    return figures;
  }

 private:
  const unsigned offload_threads_;
  Admission admission_;
  const Nanos deadline_;
  const bool shared_;
  const Nanos spin_;
  std::atomic<bool> stopped_{false};
  std::vector<std::unique_ptr<Loop>> loops_;
  // Gone before the loops: its threads may still be on their way out of a loop's post.
  std::unique_ptr<OffloadPool> offload_;
  std::vector<std::thread> threads_;
};

}  // namespace

ModelInfo event_loop_model() {
  return {
      "event_loop",
      "one Boost.Asio loop per CPU; requests wait on epoll, file reads on offload threads",
      false,
      {{"offload_threads", kOffloadThreadsDefault,
        "threads for reads of files, which cannot be polled; 1-1024 (libuv starts 4)"},
       {"in_flight_limit", kInFlightLimitDefault,
        "requests accepted and not yet ended; more are shed, so that overload is not paid in "
        "memory"},
       {"deadline", "0s", "a request older than this when it would begin is refused; 0s is never"},
       {"contexts", "per_cpu",
        "per_cpu: a loop for each CPU; shared: one loop run by a thread of each CPU, to compare"},
       kSpinKey},
      [](const Options& options) -> std::unique_ptr<Model> {
        return std::make_unique<EventLoop>(options);
      },
      []() -> std::optional<std::string> { return std::nullopt; }};
}

}  // namespace precipice
