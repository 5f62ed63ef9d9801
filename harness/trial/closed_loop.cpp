#include "harness/trial/closed_loop.hpp"

#include <algorithm>
#include <limits>
#include <thread>

#include "harness/trial/arrivals.hpp"

namespace precipice {
namespace {

// A model that runs requests inside submit would recurse from each end into the next request; the
// outermost call on a thread issues for the ones below it instead.
struct Refill {
  bool active = false;
  std::uint64_t owed = 0;
};
Refill& refill_of_this_thread() {
  thread_local Refill refill;
  return refill;
}

}  // namespace

std::size_t ClosedLoop::issued() const { return std::min(next_.load(), slots_.size()); }

void ClosedLoop::issue() noexcept {
  const std::int64_t now = now_ns();
  if (now >= until_ns_ || closed_.load(std::memory_order_relaxed) || stopped()) return;
  const std::size_t id = next_.fetch_add(1, std::memory_order_relaxed);
  if (id >= slots_.size()) return;
  Sent& sent = slots_.sent(id);
  sent.dispatch_ns = now;
  in_flight_.enter(now);
  Request request{
      .id = id, .seed = request_seed(seed_, id), .intended = Time(Nanos(epoch_ns_ + now))};
  if (classes_ != nullptr) request.priority = classes_->class_of(id);
  const Refusal refusal = model_.submit(request);
  const std::int64_t after = now_ns();
  sent.submit_ns = static_cast<std::int32_t>(
      std::min<std::int64_t>(after - now, std::numeric_limits<std::int32_t>::max()));
  if (refusal != Refusal::none) {
    // The lane ends here: issuing again at once would spin against the limit.
    sent.shed = true;
    slots_.refuse(id, after, refusal);
    in_flight_.leave(now);
  }
}

void ClosedLoop::ended(std::int64_t at_ns) noexcept {
  if (at_ns >= until_ns_) return;
  if (think_.count() > 0) {
    const std::lock_guard lock(mutex_);
    due_.push(at_ns + think_.count());
    due_changed_.notify_one();
    return;
  }
  Refill& refill = refill_of_this_thread();
  ++refill.owed;
  if (refill.active) return;
  refill.active = true;
  while (refill.owed > 0) {
    --refill.owed;
    issue();
  }
  refill.active = false;
}

/// As the generator does between arrivals. It looks often enough to see each timer before it is
/// due.
void ClosedLoop::serve_timers_until(Time end, Nanos margin) {
  const Nanos look =
      std::clamp<Nanos>(ahead_ / 2, std::chrono::microseconds(50), std::chrono::milliseconds(20));
  timers_->attend_from(0);
  for (Time now = Io::now(); now < end && !stopped(); now = Io::now()) {
    const std::int64_t due = timers_->next_ns();
    const std::int64_t now_ns = now.time_since_epoch().count();
    if (now_ns >= due) {
      timers_->serve_due();
    } else if (due - now_ns > margin.count()) {
      const Nanos left(due - margin.count() - now_ns);
      std::this_thread::sleep_until(std::min<Time>(end, now + std::min(left, look)));
    }
  }
  timers_->attend_from(TimerThread::kNever);
}

void ClosedLoop::drive(std::uint64_t concurrency, Time epoch, Backend* backend, Nanos margin) {
  constexpr auto kLook = std::chrono::milliseconds(20);
  if (think_.count() > 0) due_.reserve(concurrency);
  epoch_ns_ = epoch.time_since_epoch().count();
  std::this_thread::sleep_until(epoch);  // stamps before the epoch would be negative
  for (std::uint64_t i = 0; i < concurrency; ++i) {
    issue();
    if (backend != nullptr) backend->serve_until(Io::now(), margin);
  }
  const Time end = epoch + Nanos(until_ns_);
  while (backend != nullptr && Io::now() < end && !stopped()) {
    backend->serve_until(std::min<Time>(end, Io::now() + kLook), margin);
  }
  if (timers_ != nullptr && backend == nullptr && think_.count() == 0)
    serve_timers_until(end, margin);
  std::unique_lock lock(mutex_);
  while (Io::now() < end && !stopped()) {
    Time wake = std::min<Time>(end, Io::now() + kLook);
    while (!due_.empty()) {
      const std::int64_t next = due_.top();
      if (next > now_ns()) {
        wake = std::min(wake, epoch + Nanos(next));
        break;
      }
      due_.pop();
      lock.unlock();
      issue();
      lock.lock();
    }
    due_changed_.wait_until(lock, wake);
  }
  closed_ = true;
}

}  // namespace precipice
