// Waiting by blocking the thread: every operation is one plain system call, finished inside
// `start`.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <csignal>

#include "models/buffer_pool.hpp"
#include "models/io.hpp"

namespace precipice {

/// One object serves any number of threads. After `cancel`, operations answer -ECANCELED, except
/// compute and acquire, which end by themselves (see Gate). A thread that is already inside a
/// system call notices only when a signal interrupts it: whoever owns the threads sends
/// kInterruptSignal, again and again until they have left, because a signal that lands between the
/// look at the flag and the system call is lost.
class BlockingIo final : public Io {
 public:
  /// `cut_short`, if given, cancels as well once it is true.
  explicit BlockingIo(const std::atomic<bool>* cut_short = nullptr) : cut_short_(cut_short) {}

  void cancel() noexcept { cancelled_.store(true, std::memory_order_release); }
  bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_acquire) ||
           (cut_short_ != nullptr && cut_short_->load(std::memory_order_acquire));
  }

  void close(int socket) noexcept override;
  Lease lease(std::size_t bytes) override { return {*this, shard().lend(bytes), bytes}; }
  /// Nothing ever queues at a gate here; finishing on the spot is right all the same.
  void wake(IoOp& op) noexcept override { op.finish(0); }

 protected:
  Start start(IoOp& op) override;
  void give_back(std::byte* data, std::size_t bytes) noexcept override {
    shard().give_back(data, bytes);
  }

 private:
  std::int64_t sleep_until(Time until) const;
  std::int64_t open_connection(const sockaddr_in& peer) const;
  std::int64_t accept_connection(int listener) const;
  std::int64_t wait_ready(int fd, short events) const;
  template <class Call>
  std::int64_t complete(int fd, short events, Call call) const;

  /// Chosen by thread, so that a pool's workers seldom meet at a lock; a buffer may come back to
  /// another shard than it came from.
  BufferPool& shard() noexcept;

  struct alignas(64) Shard {
    BufferPool buffers{true};
  };

  const std::atomic<bool>* const cut_short_;
  std::atomic<bool> cancelled_{false};
  std::array<Shard, 16> shards_;
};

/// SIGURG: by default ignored, so that a stray one harms nobody, and unused by code that does not
/// ask for out-of-band data (signal(7)).
inline constexpr int kInterruptSignal = SIGURG;

/// Gives kInterruptSignal a handler that does nothing, without SA_RESTART, for the whole process.
/// Once; later calls return at once.
void install_interrupt_signal();
/// Lets the calling thread be interrupted, whatever mask it inherited.
void accept_interrupts() noexcept;
/// Interrupts a thread that has not been joined yet.
void interrupt_thread(pthread_t thread) noexcept;

}  // namespace precipice
