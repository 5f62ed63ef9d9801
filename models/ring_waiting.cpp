// How a ring enters the kernel: to submit what has been prepared, and to wait when there is nothing
// else to do.
#include <algorithm>
#include <cerrno>

#include "models/ring.hpp"

namespace precipice {

// Submits what has been prepared and, when asked to, spins and sleeps until a completion, the next
// timer or a wake-up.
void Ring::enter(bool wait) {
  io_uring* ring = ring_->get();
  if ((IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0)
    tallies_.overflows.add(1);
  wait = wait && io_uring_cq_ready(ring) == 0;
  if (wait && spins()) {
    if (worth_entering()) entered(io_uring_submit_and_get_events(ring));
    wait = !spin();
  }
  if (wait) {
    entered(submit_and_wait());
  } else if (worth_entering()) {
    entered(io_uring_submit_and_get_events(ring));
  }
}

/// Whether there is something to tell the kernel, or it has something to tell.
bool Ring::worth_entering() {
  io_uring* ring = ring_->get();
  return io_uring_sq_ready(ring) > 0 ||
         (IO_URING_READ_ONCE(*ring->sq.kflags) & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
}

// True: something has come. False: whoever brings something from now on writes the eventfd. No poll
// makes a system call: the flags say whether the kernel has completions that only entering takes.
bool Ring::spin() {
  io_uring* ring = ring_->get();
  const bool come =
      spin_until(std::min(now() + settings_.spin, timers_.next()), spin_tallies_, [this, ring] {
        return io_uring_cq_ready(ring) > 0 || worth_entering() ||
               doze_.load(std::memory_order_relaxed) == Doze::awake;
      });
  if (come || timers_.next() <= now()) return true;
  Doze expected = Doze::spinning;
  return !doze_.compare_exchange_strong(expected, Doze::asleep, std::memory_order_relaxed);
}

// Never for more than one completion: waiting for several stalls when few are in flight.
int Ring::submit_and_wait() {
  io_uring* ring = ring_->get();
  Time until = timers_.next();
  if (cancelling_) until = std::min(until, now() + kCancelInterval);
  io_uring_cqe* ready = nullptr;
  int answer = 0;
  if (until == Time::max()) {
    answer = io_uring_submit_and_wait_timeout(ring, &ready, 1, nullptr, nullptr);
  } else {
    const Nanos left = std::max(Nanos{0}, until - now());
    __kernel_timespec timeout{};
    timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
    answer = io_uring_submit_and_wait_timeout(ring, &ready, 1, &timeout, nullptr);
  }
  if (cancelling_ && ready == nullptr) cancel_pending();
  return answer;
}

void Ring::entered(int answer) noexcept {
  tallies_.enters.add(1);
  if (unsubmitted_ > 0) {
    const unsigned left = io_uring_sq_ready(ring_->get());
    tallies_.submits.add(1);
    tallies_.sqes.add(unsubmitted_ - std::min(unsubmitted_, left));
    unsubmitted_ = left;
  }
  // EBUSY and EAGAIN: completions have to be taken, or memory found, before more is submitted.
  // The next pass does the one and tries again.
  if (answer < 0 && answer != -ETIME && answer != -EINTR && answer != -EBUSY && answer != -EAGAIN) {
    tallies_.errors.add(1);
  }
}

}  // namespace precipice
