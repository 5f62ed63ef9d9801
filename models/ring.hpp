// One io_uring, the thread that owns it, and the Io of the requests that run on it.
//
// A pass of the loop begins some arrivals, submits everything that they and the last completions
// asked for in one system call, waits in that same call when there is nothing else to do, and
// resumes what has completed. Others reach the ring through a locked queue, and write its eventfd
// only when its thread sleeps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "models/admission.hpp"
#include "models/buffer_pool.hpp"
#include "models/cpu_set.hpp"
#include "models/io.hpp"
#include "models/job.hpp"
#include "models/ring_listener.hpp"
#include "models/ring_setup.hpp"
#include "models/ring_streams.hpp"
#include "models/spin.hpp"
#include "models/timer_heap.hpp"

namespace precipice {

struct RingSettings {
  Job job;
  Nanos deadline{0};  ///< 0: none
  Nanos spin{0};      ///< 0: it blocks at once
  unsigned entries = 0;
  unsigned completions = 0;
  unsigned workers = 0;  ///< kernel threads at most
  CpuSet worker_cpus;
  std::vector<int> files;  ///< to be registered
  std::size_t block_bytes = 4096;
};

/// A figure that one thread raises and any thread reads.
class Tally {
 public:
  void add(std::uint64_t more) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct RingTallies {
  Tally enters;       ///< system calls that submitted or waited
  Tally submits;      ///< those of them that submitted something
  Tally sqes;         ///< operations handed to the kernel
  Tally cqes;         ///< completions taken
  Tally overflows;    ///< passes that found completions kept back because the queue was full
  Tally dropped;      ///< completions that the kernel lost: 0, or a request hangs
  Tally full;         ///< times the submission queue was full and had to be submitted early
  Tally errors;       ///< unexpected answers of io_uring_enter
  Tally fixed_reads;  ///< reads into registered memory
  Tally sleepers;     ///< waiting in the timer heap now
  Tally setup_flags;  ///< IORING_SETUP_* in effect
  std::atomic<std::uint64_t> wakes{0};  ///< eventfd writes
};

class Ring final : public Io {
 public:
  Ring(unsigned index, const RingSettings& settings, Admission& admission);
  ~Ring() override;

  /// On the thread that will run it: creates the ring. Throws Unavailable.
  void open();
  /// On the same thread: serves until `leave`, then takes the ring down.
  void run();
  /// The ring whose thread this is, or nullptr.
  static Ring* current() { return current_; }
  bool belongs_to(const Admission& model) const { return &admission_ == &model; }

  /// From any thread: none, or memory.
  Refusal offer(const Request& request) noexcept;
  /// Refuses what has not begun and cancels what waits, now and later.
  void cancel() noexcept;
  /// Lets `run` return; nothing is in flight any more.
  void leave() noexcept;

  std::uint64_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
  const RingTallies& tallies() const { return tallies_; }
  /// As RingHandle::fallbacks. Valid once open.
  const std::vector<std::string>& fallbacks() const { return fallbacks_; }
  int thread_id() const { return thread_id_; }
  const SpinTallies& spin_tallies() const { return spin_tallies_; }

  unsigned executor() const noexcept override { return index_; }
  void close(int socket) noexcept override;
  Lease lease(std::size_t bytes) override;
  void wake(IoOp& op) noexcept override;

 protected:
  Start start(IoOp& op) override;
  void give_back(std::byte* data, std::size_t bytes) noexcept override;

 private:
  struct State;
  struct FreeMemory {
    void operator()(std::byte* memory) const noexcept;
  };

  // User data that is no operation's address.
  static constexpr std::uint64_t kNobody = 0;
  static constexpr std::uint64_t kWake = 1;
  static constexpr std::uint64_t kStreamTag = 2;    // beside the address of a stream
  static constexpr std::uint64_t kListenerTag = 4;  // likewise
  static constexpr std::uint64_t kLibraryTimeout = ~std::uint64_t{0};  // liburing's, before 5.11

  // How often cancellation is asked for again, because a request to cancel that meets an operation
  // between two of its states finds nothing.
  static constexpr Nanos kCancelInterval = std::chrono::milliseconds(5);

  static State& state_of(IoOp& op);
  Start start_connect(IoOp& op);
  Start start_recv(IoOp& op);
  RingStream* stream_of(int descriptor);
  bool arm(RingStream& stream, int descriptor);
  bool has_ended(RingStream& stream, int descriptor) noexcept;
  std::size_t take_received(RingStream& stream, const IoOp& op) noexcept;
  void keep_received(RingStream& stream, std::uint16_t id, std::uint32_t bytes) noexcept;
  void forget_received(RingStream& stream) noexcept;
  void arrived(RingStream& stream, std::int32_t result, std::uint32_t flags);
  void cancel_streams();
  static void set_no_delay(int socket) noexcept;
  Start start_accept(IoOp& op);
  bool arm(RingListener& listener, int descriptor);
  void accepted(RingListener& listener, std::int32_t result, std::uint32_t flags);
  /// True: there was such a listener, which is closed with its last completion.
  bool close_listener(int descriptor) noexcept;
  void cancel_listeners();
  void issue(IoOp& op);
  void prepare(io_uring_sqe& sqe, IoOp& op);
  void prepare_read(io_uring_sqe& sqe, IoOp& op);
  io_uring_sqe* next_sqe();
  void submit_early();
  void link(IoOp& op) noexcept;
  void unlink(IoOp& op) noexcept;

  bool collect();
  void take_arrivals(std::size_t most);
  void begin_collected();
  void begin_all();
  void begin_replacements();
  void begin(const Request& request);
  void refuse(const Request& request, Refusal why) noexcept;
  void enter(bool wait);
  int submit_and_wait();
  void entered(int answer) noexcept;
  bool worth_entering();
  bool spins() const { return settings_.spin > Nanos{0} && !cancelling_; }
  bool spin();
  void reap();
  void completed(IoOp& op, std::int32_t result);
  void fire_timers();
  void issue_backlog();
  void cancel_everything();
  void cancel_pending();
  void arm_wake();
  void take_down();
  void make_arena();
  bool in_arena(const std::byte* data) const {
    return data >= arena_.get() && data < arena_.get() + arena_bytes_;
  }

  static thread_local Ring* current_;

  const unsigned index_;
  const RingSettings settings_;
  Admission& admission_;
  std::optional<RingHandle> ring_;
  std::vector<std::string> fallbacks_;
  int thread_id_ = 0;
  int wake_fd_ = -1;
  std::uint64_t wake_count_ = 0;  // where the ring reads the eventfd to
  bool wake_armed_ = false;

  // The ring thread's own.
  TimerHeap timers_;
  IoOp* pending_ = nullptr;       // in the kernel
  IoOp* backlog_head_ = nullptr;  // found no room in the submission queue
  IoOp* backlog_tail_ = nullptr;
  std::vector<Request> collected_;
  IoOp* woken_now_ = nullptr;
  bool cancelling_ = false;
  bool leaving_ = false;
  unsigned unsubmitted_ = 0;
  std::size_t brought_here_ = 0;  // arrivals from this thread since the last completion's turn
  BufferPool buffers_{false};
  std::unique_ptr<std::byte, FreeMemory> arena_;
  std::size_t arena_bytes_ = 0;
  bool arena_registered_ = false;
  std::vector<std::byte*> arena_free_;
  ReceiveBuffers receive_buffers_;
  std::vector<std::unique_ptr<RingStream>> streams_;      // by descriptor
  std::vector<std::unique_ptr<RingListener>> listeners_;  // a few; found by their descriptors
  std::size_t armed_streams_ = 0;                         // closed ones included, listeners too
  alignas(64) RingTallies tallies_;  // written by the ring's thread in every pass
  SpinTallies spin_tallies_;

  // Shared, under mutex_; not on the cache lines of the tallies.
  alignas(64) std::mutex mutex_;
  std::deque<Request> arrivals_;
  IoOp* woken_head_ = nullptr;
  IoOp* woken_tail_ = nullptr;
  bool cancel_asked_ = false;
  bool leave_asked_ = false;
  // Leaves `awake` under mutex_ when the thread finds nothing to do; whoever then brings something
  // sees it under the same mutex, so no wake-up is lost. A spinning thread sees for itself that it
  // is awake again. It is set back without the mutex: a stale `asleep` costs one write.
  enum class Doze : std::uint8_t { awake, spinning, asleep };
  std::atomic<Doze> doze_{Doze::awake};
  std::atomic<std::uint64_t> queued_{0};

  // Under mutex_; whether notify() has to follow, outside it.
  bool rouse() noexcept {
    return doze_.exchange(Doze::awake, std::memory_order_relaxed) == Doze::asleep;
  }
  void notify(bool asleep) noexcept;
};

}  // namespace precipice
