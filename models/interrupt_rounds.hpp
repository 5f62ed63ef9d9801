// Interrupting the threads that execute requests, round after round, until every request has ended.
//
// A signal wakes an idle thread as well as a waiting one. To signal each of 30,000 threads, all but
// two idle, took 0.4 to 0.7 s: with a gap of 2 ms the rounds followed one another and took half to
// three quarters of the CPU time from the requests that they waited for. So only threads that
// execute a request are signalled, and a round is followed by a gap of its own length.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "models/admission.hpp"
#include "models/blocking_io.hpp"

namespace precipice {

/// Whether a thread executes a request: set by that thread, read by whoever interrupts it.
class ExecutingFlag {
 public:
  /// Set for the life of this object.
  class Scope {
   public:
    explicit Scope(ExecutingFlag& flag) noexcept : flag_(flag) { flag_.set(true); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { flag_.set(false); }

   private:
    ExecutingFlag& flag_;
  };

  /// Interrupts `thread`, whose flag this is and which has not been joined, if it executes a
  /// request. What it reads may be out of date: an interrupt too many does nothing, and one too few
  /// is made up for by the next round.
  void interrupt(pthread_t thread) const noexcept {
    if (executing_.load(std::memory_order_relaxed)) interrupt_thread(thread);
  }

 private:
  void set(bool executing) noexcept { executing_.store(executing, std::memory_order_relaxed); }

  std::atomic<bool> executing_{false};
};

/// How long to leave the threads to themselves after a round of interrupts that took `round`.
constexpr Nanos gap_after_interrupts(Nanos round) noexcept {
  return std::max<Nanos>(round, std::chrono::milliseconds(2));
}

/// Calls `interrupt_all`, which interrupts every thread that executes a request, until all requests
/// have left. After `admission.close()` and after the Io was cancelled.
template <class InterruptAll>
void interrupt_until_empty(const Admission& admission, InterruptAll interrupt_all) {
  Time round_ended;
  Nanos gap;
  do {
    const Time round_began = Io::now();
    interrupt_all();
    round_ended = Io::now();
    gap = gap_after_interrupts(round_ended - round_began);
  } while (!admission.wait_until_empty(round_ended + gap));
}

}  // namespace precipice
