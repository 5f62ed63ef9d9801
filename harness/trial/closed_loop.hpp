// N requests in flight, each end followed by the next request: for plateaus, for peers that work
// this way, and to show what coordinated omission hides.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <queue>
#include <vector>

#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/rpc_backend.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial.hpp"
#include "models/in_flight_integral.hpp"
#include "models/model.hpp"
#include "models/policies/timer_thread.hpp"

namespace precipice {

/// Without think time the thread that ends a request issues the next one itself, so that the loop
/// measures the model and not a hand-over; with think time the caller of `drive` issues it when its
/// pause is over. A request that submit refuses has no successor: the loop then keeps one request
/// fewer in flight.
class ClosedLoop final : public AfterEnd {
 public:
  /// Issues requests until `until_ns` since the epoch, until the slots are used up, or until
  /// `stop`, if given, is true.
  ClosedLoop(Model& model, Slots& slots, InFlightIntegral& in_flight, std::uint64_t schedule_seed,
             Nanos think, std::int64_t until_ns, const std::atomic<bool>* stop,
             const TrialRequest* classes = nullptr)
      : model_(model),
        slots_(slots),
        in_flight_(in_flight),
        seed_(schedule_seed),
        think_(think),
        until_ns_(until_ns),
        stop_(stop),
        classes_(classes) {}

  /// Starts `concurrency` requests and returns when no more are issued. Throws std::bad_alloc
  /// before the first. Without think time it serves a `backend` without a thread of its own
  /// meanwhile, with this `margin`.
  void drive(std::uint64_t concurrency, Time epoch, Backend* backend = nullptr,
             Nanos margin = Nanos(0));
  /// The timers of policies, which the caller of `drive` calls where it has nothing else to do: a
  /// timer is set at least `ahead` before it is due.
  void attend(TimerThread* timers, Nanos ahead) {
    timers_ = timers;
    ahead_ = ahead;
  }
  void ended(std::int64_t at_ns) noexcept override;

  /// Slots used so far.
  std::size_t issued() const;
  /// True when the slots ran out before the time.
  bool exhausted() const { return next_.load() > slots_.size(); }

 private:
  void issue() noexcept;
  void serve_timers_until(Time end, Nanos margin);
  bool stopped() const noexcept {
    return stop_ != nullptr && stop_->load(std::memory_order_relaxed);
  }
  std::int64_t now_ns() const { return Clock::now().time_since_epoch().count() - epoch_ns_; }

  Model& model_;
  Slots& slots_;
  InFlightIntegral& in_flight_;
  const std::uint64_t seed_;
  const Nanos think_;
  const std::int64_t until_ns_;
  const std::atomic<bool>* const stop_;
  const TrialRequest* const classes_;  ///< gives requests their classes; nullptr: all are alike
  TimerThread* timers_ = nullptr;
  Nanos ahead_{0};
  std::int64_t epoch_ns_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> closed_{false};

  std::mutex mutex_;  // guards due_
  std::condition_variable due_changed_;
  /// With room for every request of the loop from the beginning: an end must not fail.
  struct Due : std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> {
    void reserve(std::size_t most) { c.reserve(most); }
  } due_;
};

}  // namespace precipice
