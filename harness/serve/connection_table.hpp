// The connections of a server: where each is kept, what it is doing, and until when it may. A
// sweeper ends the receiving side of those that are late, which wakes whoever waits there on every
// kind of model: a blocked thread, a reactor, a ring.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "harness/serve/phase.hpp"
#include "models/request.hpp"

namespace precipice::serve {

/// 0: for ever.
struct Timeouts {
  std::chrono::milliseconds idle{75'000};    ///< between requests, and before the first
  std::chrono::milliseconds header{10'000};  ///< from the first byte of a head to its last
  std::chrono::milliseconds body{60'000};    ///< from there to the last byte of the body
  std::chrono::milliseconds write{10'000};   ///< without any progress of an answer
};

/// A connection's place. On a cache line of its own: its thread writes it at every step.
struct alignas(64) Slot {
  std::atomic<std::uint64_t> state{0};  ///< phase, and from bit 8 on its end in ms, or 0
  int fd = -1;                          ///< under the table's lock for this slot
  std::uint32_t index = 0;
  std::uint32_t executor = 0;
  bool watched = false;  ///< by the parking's epoll, from its first idle time on

  Phase phase() const { return static_cast<Phase>(state.load(std::memory_order_relaxed) & 0xff); }
};

class ConnectionTable {
 public:
  /// At most `most` connections, on `executors`.
  ConnectionTable(std::size_t most, unsigned executors, const Timeouts& timeouts);

  /// A place for an accepted descriptor, on the executor with the fewest connections, or on
  /// `executor` if that is one. nullptr when the table is full or there is no memory. Thread-safe.
  Slot* open(int fd, unsigned executor = kAny) noexcept;
  /// The place is free again; the caller closes the descriptor first or afterwards by itself, and
  /// nothing here uses it any more. Thread-safe.
  void close(Slot& slot) noexcept;
  /// Of an open place. Thread-safe.
  Slot& at(std::size_t index) noexcept {
    return blocks_[index / kBlock].load(std::memory_order_acquire)[index % kBlock];
  }

  /// What the connection does from now on, which starts the time that it has for it. By its thread.
  void mark(Slot& slot, Phase phase) noexcept {
    const std::uint64_t end = end_of(phase);
    slot.state.store(static_cast<std::uint64_t>(phase) | end << 8, std::memory_order_relaxed);
  }

  /// Ends what is late at `now`. With `ending`, also what is idle: it will not be asked again. By
  /// one thread, every `interval()` or so.
  void sweep(Time now, bool ending) noexcept;
  std::chrono::milliseconds interval() const { return interval_; }

  /// Thread-safe.
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::uint64_t opened_on(unsigned executor) const noexcept {
    return loads_[executor].opened.load(std::memory_order_relaxed);
  }
  /// Connections in which a request is under way, now.
  std::size_t requests() noexcept;
  /// Closes what is still open, when nobody works on it any more.
  void close_all() noexcept;

  static constexpr unsigned kAny = ~0U;

 private:
  static constexpr std::size_t kBlock = 1024;
  struct alignas(64) Load {
    std::atomic<std::uint64_t> opened{0};
    std::atomic<std::uint64_t> now{0};
  };

  std::uint64_t end_of(Phase phase) const noexcept;
  std::mutex& lock_of(const Slot& slot) noexcept { return locks_[slot.index % locks_.size()]; }
  void end_if_late(Slot& slot, std::uint64_t now_ms, bool ending) noexcept;
  unsigned emptiest() const noexcept;

  const std::size_t most_;
  const Timeouts timeouts_;
  const std::chrono::milliseconds interval_;
  const Time epoch_;
  std::atomic<std::uint64_t> now_ms_{1};  ///< as of the last sweep
  std::vector<std::atomic<Slot*>> blocks_;
  std::vector<std::unique_ptr<Slot[]>> memory_;
  std::vector<Load> loads_;
  std::array<std::mutex, 64> locks_;
  std::atomic<std::size_t> count_{0};
  std::mutex free_mutex_;
  std::vector<std::uint32_t> free_;
  std::size_t made_ = 0;
};

}  // namespace precipice::serve
