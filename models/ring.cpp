#include "models/ring.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "models/options.hpp"

namespace precipice {
namespace {

// Arrivals begun in one pass: the most that one submission batches because of them, and few enough
// that a backlog of arrivals does not hold up the completions of what has begun.
constexpr std::size_t kArrivalsAtOnce = 32;
// Completions copied out of the queue before their requests go on.
constexpr unsigned kReapedAtOnce = 64;
// Memory registered for reads, per ring: pinned pages count against RLIMIT_MEMLOCK, 8 MiB by
// default, for users without CAP_IPC_LOCK.
constexpr std::size_t kArenaBytes = std::size_t{2} << 20;

}  // namespace

thread_local Ring* Ring::current_ = nullptr;

void Ring::FreeMemory::operator()(std::byte* memory) const noexcept { std::free(memory); }

Ring::Ring(unsigned index, const RingSettings& settings, Admission& admission)
    : index_(index), settings_(settings), admission_(admission) {
  collected_.reserve(kArrivalsAtOnce);
}

Ring::~Ring() {
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void Ring::open() {
  thread_id_ = ::gettid();
  // Blocking: a read of a non-blocking eventfd through the ring would answer EAGAIN, not wait.
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (wake_fd_ < 0) {
    throw Unavailable("cannot make an eventfd: " + std::string(std::strerror(errno)) +
                      "; raise the limit on descriptors (ulimit -n)");
  }
  ring_.emplace(settings_.entries, settings_.completions);
  ring_->cap_workers(settings_.workers, settings_.worker_cpus);
  ring_->register_files(settings_.files);
  if (!settings_.files.empty()) make_arena();
  fallbacks_ = ring_->fallbacks();
  // A kernel that defers task work (6.1) has multishot receive as well (6.0).
  if ((ring_->get()->flags & IORING_SETUP_DEFER_TASKRUN) == 0 ||
      !receive_buffers_.open(*ring_->get())) {
    fallbacks_.emplace_back("each receive is submitted (multishot needs Linux 6.1 and memory)");
  }
  tallies_.setup_flags.set(ring_->get()->flags);
}

void Ring::make_arena() {
  const std::size_t block = BufferPool::rounded(settings_.block_bytes);
  const std::size_t blocks = kArenaBytes / block;
  if (blocks == 0) return;  // blocks so large that registering them gains nothing
  arena_.reset(static_cast<std::byte*>(std::aligned_alloc(BufferPool::kPage, blocks * block)));
  if (!arena_) return;
  arena_bytes_ = blocks * block;
  arena_registered_ = ring_->register_buffer(arena_.get(), arena_bytes_);
  if (!arena_registered_) {
    arena_.reset();
    arena_bytes_ = 0;
    return;
  }
  arena_free_.reserve(blocks);
  for (std::size_t i = blocks; i > 0; --i) arena_free_.push_back(arena_.get() + (i - 1) * block);
}

void Ring::run() {
  current_ = this;
  while (!leaving_) {
    const bool idle = collect();
    begin_collected();
    issue_backlog();
    if (!wake_armed_) arm_wake();
    enter(idle && wake_armed_);
    doze_.store(Doze::awake, std::memory_order_relaxed);
    reap();
    fire_timers();
  }
  take_down();
  current_ = nullptr;
}

// --- from any thread -----------------------------------------------------------------------------

void Ring::notify(bool asleep) noexcept {
  if (!asleep) return;
  const std::uint64_t one = 1;
  tallies_.wakes.fetch_add(1, std::memory_order_relaxed);
  // Cannot fall short: the counter would have to be near 2^64 for that.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

Refusal Ring::offer(const Request& request) noexcept {
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    try {
      arrivals_.push_back(request);
    } catch (const std::bad_alloc&) {
      return Refusal::memory;
    }
    queued_.store(arrivals_.size(), std::memory_order_relaxed);
    if (current_ == this) ++brought_here_;
    asleep = rouse();
  }
  notify(asleep);
  return Refusal::none;
}

void Ring::wake(IoOp& op) noexcept {
  op.next = nullptr;
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    (woken_tail_ != nullptr ? woken_tail_->next : woken_head_) = &op;
    woken_tail_ = &op;
    asleep = rouse();
  }
  notify(asleep);
}

void Ring::cancel() noexcept {
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    cancel_asked_ = true;
    asleep = rouse();
  }
  notify(asleep);
}

void Ring::leave() noexcept {
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    leave_asked_ = true;
    asleep = rouse();
  }
  notify(asleep);
}

// --- the pass ------------------------------------------------------------------------------------

// Takes what others have brought. True when there was nothing, so that this thread may sleep.
bool Ring::collect() {
  bool cancel_now = false;
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    take_arrivals(cancelling_ || cancel_asked_ ? arrivals_.size() : kArrivalsAtOnce);
    woken_now_ = woken_head_;
    woken_head_ = woken_tail_ = nullptr;
    cancel_now = cancel_asked_ && !cancelling_;
    leaving_ = leave_asked_;
    idle = collected_.empty() && woken_now_ == nullptr && !cancel_now && !leaving_;
    const Doze dozing = spins() ? Doze::spinning : Doze::asleep;
    doze_.store(idle ? dozing : Doze::awake, std::memory_order_relaxed);
  }
  if (cancel_now) cancel_everything();
  return idle && backlog_head_ == nullptr;
}

// The oldest arrivals, at most `most`. Under mutex_.
void Ring::take_arrivals(std::size_t most) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(arrivals_.size(), most));
  collected_.assign(arrivals_.begin(), arrivals_.begin() + count);
  arrivals_.erase(arrivals_.begin(), arrivals_.begin() + count);
  queued_.store(arrivals_.size(), std::memory_order_relaxed);
}

void Ring::begin_collected() {
  while (woken_now_ != nullptr) {
    IoOp* op = woken_now_;
    woken_now_ = op->next;
    op->finish(0);
  }
  begin_all();
}

void Ring::begin_all() {
  for (const Request& request : collected_) {
    cancelling_ ? refuse(request, Refusal::shutdown) : begin(request);
  }
}

// A request that ends may bring the next one. Left to the next pass it would begin only after all
// other completions have been dealt with; if those were all there were, the device idles meanwhile.
// What these bring in turn waits for the next pass, so that requests which end at once cannot keep
// this thread from the kernel. The oldest arrivals begin, whoever brought them.
void Ring::begin_replacements() {
  if (brought_here_ == 0) return;
  {
    const std::lock_guard lock(mutex_);
    take_arrivals(std::min(brought_here_, kArrivalsAtOnce));
  }
  begin_all();
  brought_here_ = 0;
}

void Ring::begin(const Request& request) {
  if (settings_.deadline > Nanos{0} && now() - request.intended > settings_.deadline) {
    refuse(request, Refusal::deadline);
    return;
  }
  execute(
      settings_.job, *this, request,
      [](void* admission) { static_cast<Admission*>(admission)->leave(); }, &admission_);
}

void Ring::refuse(const Request& request, Refusal why) noexcept {
  settings_.job.refuse(settings_.job.context, request, why);
  admission_.leave();
}

void Ring::reap() {
  struct Ended {
    std::uint64_t who;
    std::int32_t result;
    std::uint32_t flags;
  };
  std::array<Ended, kReapedAtOnce> ended;
  io_uring* ring = ring_->get();
  brought_here_ = 0;  // what came otherwise begins in the next pass
  // Not those that come meanwhile: a cached read may complete while it is being submitted, and its
  // request may bring the next.
  for (unsigned left = io_uring_cq_ready(ring); left > 0;) {
    std::array<io_uring_cqe*, kReapedAtOnce> cqes;
    const unsigned count =
        io_uring_peek_batch_cqe(ring, cqes.data(), std::min(left, kReapedAtOnce));
    left -= count;
    for (unsigned i = 0; i < count; ++i)
      ended[i] = {cqes[i]->user_data, cqes[i]->res, cqes[i]->flags};
    io_uring_cq_advance(ring, count);
    tallies_.cqes.add(count);
    for (unsigned i = 0; i < count; ++i) {
      if (ended[i].who == kWake) {
        wake_armed_ = false;  // the next pass arms it again, before it may sleep
      } else if (ended[i].who != kNobody && ended[i].who != kLibraryTimeout) {
        if ((ended[i].who & kStreamTag) != 0) {
          arrived(*reinterpret_cast<RingStream*>(ended[i].who & ~kStreamTag), ended[i].result,
                  ended[i].flags);
        } else if ((ended[i].who & kListenerTag) != 0) {
          accepted(*reinterpret_cast<RingListener*>(ended[i].who & ~kListenerTag), ended[i].result,
                   ended[i].flags);
        } else {
          completed(*reinterpret_cast<IoOp*>(ended[i].who), ended[i].result);
        }
        begin_replacements();
      }
    }
  }
  tallies_.dropped.set(IO_URING_READ_ONCE(*ring->cq.koverflow));
}

void Ring::fire_timers() {
  const Time due = timers_.empty() ? Time::min() : now();
  while (IoOp* op = timers_.pop_due(due)) op->finish(0);
  tallies_.sleepers.set(timers_.size());
}

void Ring::issue_backlog() {
  IoOp* op = backlog_head_;
  backlog_head_ = backlog_tail_ = nullptr;
  while (op != nullptr) {
    IoOp* next = op->next;
    issue(*op);
    op = next;
  }
}

// --- the end -------------------------------------------------------------------------------------

void Ring::cancel_everything() {
  cancelling_ = true;
  while (!timers_.empty()) timers_.pop()->finish(-ECANCELED);
  tallies_.sleepers.set(0);
  IoOp* op = backlog_head_;
  backlog_head_ = backlog_tail_ = nullptr;
  while (op != nullptr) {
    IoOp* next = op->next;
    if (op->kind == IoOp::Kind::connect) ::close(op->arguments.fd);
    op->finish(-ECANCELED);
    op = next;
  }
  cancel_streams();
  cancel_listeners();
  cancel_pending();
}

void Ring::cancel_pending() {
  for (IoOp* op = pending_; op != nullptr; op = op->next) {
    io_uring_sqe* sqe = next_sqe();
    if (sqe == nullptr) return;  // the next pass goes on
    io_uring_prep_cancel(sqe, op, 0);
    io_uring_sqe_set_data64(sqe, kNobody);
  }
}

void Ring::arm_wake() {
  io_uring_sqe* sqe = next_sqe();
  if (sqe == nullptr) return;
  io_uring_prep_read(sqe, wake_fd_, &wake_count_, sizeof wake_count_, 0);
  io_uring_sqe_set_data64(sqe, kWake);
  wake_armed_ = true;
}

// The kernel may write wake_count_ and the buffers of streams until the last completion of each has
// been seen.
void Ring::take_down() {
  while (wake_armed_ || armed_streams_ > 0) {
    if (io_uring_sqe* sqe = next_sqe()) {
      if (wake_armed_) {
        io_uring_prep_cancel64(sqe, kWake, 0);
      } else {
        io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
      }
      io_uring_sqe_set_data64(sqe, kNobody);
    }
    io_uring_cqe* ready = nullptr;
    __kernel_timespec timeout{.tv_sec = 0, .tv_nsec = kCancelInterval.count()};
    io_uring_submit_and_wait_timeout(ring_->get(), &ready, 1, &timeout, nullptr);
    reap();
  }
  for (const auto& stream : streams_) {
    if (stream) forget_received(*stream);
  }
  for (const auto& listener : listeners_) {
    for (const int connection : listener->ahead) ::close(connection);
  }
  receive_buffers_.close(*ring_->get());
  ring_.reset();
}

}  // namespace precipice
