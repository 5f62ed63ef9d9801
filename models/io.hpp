// The one contract between workloads and models: the operations a request may wait for.
//
// Every model brings its own Io. Starting an operation answers *completed* or *queued*. A blocking
// model finishes the operation inside `start` and always answers completed, so the coroutine never
// suspends; an asynchronous model keeps the operation's address and later calls `finish` on it,
// which resumes the coroutine. After *queued* the awaiter touches nothing of its own: another
// thread may already have resumed and destroyed it.
#pragma once

#include <netinet/in.h>

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>

#include "models/request.hpp"

namespace precipice {

class Io;
class Gate;

enum class Start : std::uint8_t { completed, queued };

/// CPU work handed to a model: a plain function with its argument and the request's seed; returns a
/// digest.
struct Compute {
  std::uint64_t (*function)(const void* argument, std::uint64_t seed) = nullptr;
  const void* argument = nullptr;
  std::uint64_t seed = 0;

  std::uint64_t operator()() const { return function(argument, seed); }
};

/// One operation, and its own awaiter. Lives in the coroutine frame of whoever awaits it, cannot
/// move, and its address is the user data of the engine underneath. co_await yields `result`: a
/// count or descriptor
/// >= 0, or -errno; -ECANCELED means that the model is shutting down.
class IoOp {
 public:
  enum class Kind : std::uint8_t {
    sleep,
    read,
    recv,
    send,
    connect,
    accept,
    readable,
    writable,
    acquire,
    compute
  };

  struct Arguments {
    int fd = -1;                ///< read, recv, send, accept, readable, writable
    std::byte* data = nullptr;  ///< read, recv, send: the buffer, valid until the operation ends
    std::size_t bytes = 0;      ///< its size
    std::uint64_t offset = 0;   ///< read: position in the file
    Time until{};               ///< sleep: when to wake
    const sockaddr_in* peer = nullptr;  ///< connect
    Gate* gate = nullptr;               ///< acquire
    const Compute* work = nullptr;      ///< compute
    bool ahead = false;                 ///< accept: the engine may accept more than was asked for
  };

  IoOp(Io& on, Kind what, const Arguments& with) noexcept : io(&on), arguments(with), kind(what) {}
  IoOp(const IoOp&) = delete;
  IoOp& operator=(const IoOp&) = delete;

  bool await_ready() const noexcept { return false; }
  inline bool await_suspend(std::coroutine_handle<> waiting);
  std::int64_t await_resume() const noexcept { return result; }

  /// Engine side: stores the result and resumes the waiting coroutine on this thread; the operation
  /// may be gone when this returns. Never called for an operation whose start answered completed.
  void finish(std::int64_t value) {
    result = value;
    waiter.resume();
  }

  Io* io;
  std::coroutine_handle<> waiter;
  std::int64_t result = 0;
  Arguments arguments;
  IoOp* next = nullptr;      ///< for the engine's or the gate's own lists
  IoOp* previous = nullptr;  ///< likewise
  Kind kind;

  /// Room for the engine's own per-operation object (a timer, a message header), so that a waiting
  /// request costs no second allocation. The engine constructs and destroys what it puts here.
  static constexpr std::size_t kEngineBytes = 112;
  alignas(std::max_align_t) std::byte engine[kEngineBytes];
};

/// An IoOp whose result is a digest.
class ComputeOp : public IoOp {
 public:
  ComputeOp(Io& on, const Compute& work) noexcept : IoOp(on, Kind::compute, {}), work_(work) {
    arguments.work = &work_;
  }
  std::uint64_t await_resume() const noexcept { return static_cast<std::uint64_t>(result); }

 private:
  Compute work_;
};

/// Memory for reads and replies, on loan from the executor and given back on destruction. Aligned
/// to 4,096 bytes, at least as large as asked for. An engine with registered buffers knows its own
/// by address.
class Lease {
 public:
  Lease(Io& io, std::byte* data, std::size_t bytes) noexcept
      : io_(&io), data_(data), bytes_(bytes) {}
  Lease(Lease&& other) noexcept
      : io_(other.io_), data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  Lease& operator=(Lease&&) = delete;
  inline ~Lease();

  std::span<std::byte> span() const { return {data_, bytes_}; }

 private:
  Io* io_;
  std::byte* data_;
  std::size_t bytes_;
};

/// A model's way of waiting; one object per executor (a loop, a ring, or a whole pool of threads).
/// A request begins operations from its own coroutine, one at a time. On a blocking Io, and on one
/// that serves several threads, every member may be called by several threads at once.
class Io {
 public:
  Io() = default;
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;
  virtual ~Io() = default;

  /// Which executor this is, 0 .. Model::executors() - 1. A connection stays with one executor.
  virtual unsigned executor() const noexcept { return 0; }

  /// Waits at least this long. Yields 0 or -ECANCELED.
  IoOp sleep(Nanos duration) { return {*this, IoOp::Kind::sleep, {.until = now() + duration}}; }
  /// Reads from a file position; may be short. With O_DIRECT, buffer, size and offset are 4
  /// KiB-aligned.
  IoOp read(int fd, std::span<std::byte> buffer, std::uint64_t offset) {
    return {*this,
            IoOp::Kind::read,
            {.fd = fd, .data = buffer.data(), .bytes = buffer.size(), .offset = offset}};
  }
  /// Receives at least one byte; 0 when the peer has closed.
  IoOp recv(int socket, std::span<std::byte> buffer) {
    return {*this, IoOp::Kind::recv, {.fd = socket, .data = buffer.data(), .bytes = buffer.size()}};
  }
  /// Sends at least one byte; may be short. Never raises SIGPIPE.
  IoOp send(int socket, std::span<const std::byte> buffer) {
    return {*this,
            IoOp::Kind::send,
            {.fd = socket, .data = const_cast<std::byte*>(buffer.data()), .bytes = buffer.size()}};
  }
  /// Opens a TCP connection (TCP_NODELAY). Yields the descriptor, to be closed with close() on this
  /// Io.
  IoOp connect(const sockaddr_in& peer) { return {*this, IoOp::Kind::connect, {.peer = &peer}}; }
  /// Accepts one connection (TCP_NODELAY). Yields its descriptor.
  IoOp accept(int listener) { return {*this, IoOp::Kind::accept, {.fd = listener}}; }
  /// Likewise, for a loop that alone accepts from this listener, on any Io, and comes back until it
  /// closes it: an engine may accept connections ahead, which the next calls yield. Those that no
  /// call has yielded when close() is called for the listener are closed with it.
  IoOp accept_ahead(int listener) {
    return {*this, IoOp::Kind::accept, {.fd = listener, .ahead = true}};
  }
  /// Waits until a receive would not block: data has come, the peer has closed, or an error is to
  /// be collected. Yields 0. For libraries that do their own receiving and sending: the descriptor
  /// is any that poll(2) can wait for, becomes non-blocking with some engines, and is closed by
  /// close() on this Io, which ends what an engine has registered for its number. A library that
  /// closes its own descriptor therefore hands over a duplicate of it (dup(2)).
  IoOp readable(int descriptor) { return {*this, IoOp::Kind::readable, {.fd = descriptor}}; }
  /// Likewise, until a send would not block.
  IoOp writable(int descriptor) { return {*this, IoOp::Kind::writable, {.fd = descriptor}}; }
  /// Takes one permit of a gate of this model; yields 0. Paired with gate.release().
  IoOp acquire(Gate& gate) { return {*this, IoOp::Kind::acquire, {.gate = &gate}}; }
  /// CPU work, inline unless the model moves it elsewhere. Yields the digest.
  ComputeOp compute(const Compute& work) { return {*this, work}; }

  /// Closes a descriptor that connect or accept yielded on this Io, or that was waited for. No
  /// operation may be under way on it.
  virtual void close(int socket) noexcept = 0;
  /// Lends memory of at least `bytes`. Throws std::bad_alloc.
  virtual Lease lease(std::size_t bytes) = 0;
  /// Finishes (result 0) an operation that waits at a gate; called by Gate::release, from any
  /// thread.
  virtual void wake(IoOp& op) noexcept = 0;

  static Time now() { return std::chrono::time_point_cast<Nanos>(Clock::now()); }

 protected:
  friend class IoOp;
  friend class Lease;
  /// Begins the operation. *completed*: op.result is set, nothing else will happen. *queued*:
  /// op.finish will be called once, possibly before this returns.
  virtual Start start(IoOp& op) = 0;
  virtual void give_back(std::byte* data, std::size_t bytes) noexcept = 0;
};

inline bool IoOp::await_suspend(std::coroutine_handle<> waiting) {
  waiter = waiting;
  return io->start(*this) == Start::queued;
}

inline Lease::~Lease() {
  if (data_ != nullptr) io_->give_back(data_, bytes_);
}

/// A counting semaphore that a request can wait at in its model's own way. Executors of one model
/// may share it: each waiter is woken through its own Io. Thread-safe. Nothing cancels a waiter: at
/// shutdown the holders' operations end (-ECANCELED), they release, and the waiters follow them.
class Gate {
 public:
  explicit Gate(std::size_t permits) : permits_(permits) {}

  /// Gives one permit back: to the longest waiter of an asynchronous engine, to any of a blocking
  /// one.
  void release() noexcept {
    IoOp* woken = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (head_ != nullptr) {
        woken = head_;
        head_ = woken->next;
        if (head_ == nullptr) tail_ = nullptr;
      } else {
        ++permits_;
        available_.notify_one();
      }
    }
    if (woken != nullptr) woken->io->wake(*woken);
  }

  /// For asynchronous engines: takes a permit (completed), or queues the operation until release.
  Start enter_or_queue(IoOp& op) noexcept {
    const std::lock_guard lock(mutex_);
    if (permits_ > 0) {
      --permits_;
      op.result = 0;
      return Start::completed;
    }
    op.next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = &op;
    tail_ = &op;
    return Start::queued;
  }

  /// For blocking engines: returns with a permit.
  void enter_blocking() {
    std::unique_lock lock(mutex_);
    available_.wait(lock, [this] { return permits_ > 0; });
    --permits_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable available_;
  std::size_t permits_;
  IoOp* head_ = nullptr;
  IoOp* tail_ = nullptr;
};

}  // namespace precipice
