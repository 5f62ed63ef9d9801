// The count of requests in flight, with its limit and the end of admission.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "models/io.hpp"
#include "models/model.hpp"
#include "models/request.hpp"

namespace precipice {

/// `enter` increments the count before it reads the closed flag; `close` sets the flag before any
/// later `count` reads the count (both sequentially consistent). So once `close` has returned,
/// `count` includes every accepted request that has not left, and an `enter` that finds the flag
/// set undoes its increment. Thread-safe, without locks.
class Admission {
 public:
  /// Born closed: until `open` every request is refused.
  explicit Admission(std::uint64_t limit) : in_flight_(limit) {}

  /// Refusal::none, limit or shutdown. Only after `none` does the request have to leave.
  Refusal enter() noexcept {
    if (!in_flight_.enter()) return closed() ? Refusal::shutdown : Refusal::limit;
    if (!closed()) return Refusal::none;
    in_flight_.leave();
    return Refusal::shutdown;
  }
  /// The request's last touch of the model.
  void leave() noexcept { in_flight_.leave(); }

  /// When everything that a request needs is there; what never started stays closed.
  void open() noexcept { closed_.store(false, std::memory_order_seq_cst); }
  void close() noexcept { closed_.store(true, std::memory_order_seq_cst); }
  bool closed() const noexcept { return closed_.load(std::memory_order_seq_cst); }
  std::uint64_t count() const noexcept { return in_flight_.count(); }

  /// After `close`: true when everybody has left by `deadline`. Looks every 0.1 to 1 ms, so that
  /// leaving costs the requests no wake-up call.
  bool wait_until_empty(Time deadline) const {
    Nanos pause = std::chrono::microseconds(100);
    while (count() != 0) {
      const Time now = Io::now();
      if (now >= deadline) return false;
      std::this_thread::sleep_for(std::min(pause, deadline - now));
      pause = std::min<Nanos>(pause * 2, std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  InFlight in_flight_;
  std::atomic<bool> closed_{true};
};

}  // namespace precipice
