// Offers a schedule on time, and leaves the proof in the slots.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "harness/trial/rpc_backend.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial.hpp"
#include "harness/trial/wake_up_precedence.hpp"
#include "models/in_flight_integral.hpp"
#include "models/model.hpp"
#include "models/policies/timer_thread.hpp"
#include "models/request.hpp"

namespace precipice {

struct GeneratorOptions {
  /// False when another thread needs this CPU (a backend's, the model's): then due arrivals go out
  /// in batches from a sleep to the next one, instead of on time to the nanosecond.
  bool spin = true;
  /// Over those who share this CPU.
  WakeUpPrecedence::Kind precedence = WakeUpPrecedence::Kind::none;
  /// Where it does not spin: at least so long lies between two sleeps' ends for arrivals. A wake-up
  /// costs several times what submitting does, and the others need the CPU.
  Nanos wake_ups_apart{0};
  /// How long before an arrival the sleep ends and the spin begins. Measured by `spin_margin`.
  Nanos margin = std::chrono::microseconds(300);
  /// Past this (since the epoch) the rest is left unsent: the model or the host holds the generator
  /// up.
  std::int64_t give_up_ns = INT64_MAX;
  /// Looked at before every sleep and every 1,024 requests; true ends the offering.
  const std::atomic<bool>* stop = nullptr;
  /// One without a thread of its own, made by the calling thread: it is served between arrivals.
  Backend* backend = nullptr;
  /// Of the policies: called by this thread where they are due between arrivals. Not with a
  /// backend.
  TimerThread* timers = nullptr;
  /// Gives requests their classes; nullptr: all are of the first.
  const TrialRequest* classes = nullptr;

  /// For what is waited for on this thread: 0 where it must not spin.
  Nanos spin_margin() const { return spin ? margin : Nanos(0); }
};

/// Submits request i at `epoch + intended_ns[i]`, never early, never skipping one, never waiting
/// for capacity or completion. Runs on the calling thread, which the caller has pinned. Returns the
/// number dispatched.
std::size_t offer(Model& model, std::span<const std::int64_t> intended_ns,
                  std::uint64_t schedule_seed, Time epoch, Slots& slots,
                  InFlightIntegral& in_flight, const GeneratorOptions& options);

/// How late sleeps end on this thread: twice the second largest lateness of 50 sleeps of 200 us
/// (the 98th percentile by nearest rank), from 100 us to 2 ms. Takes about 10 ms.
Nanos spin_margin();

}  // namespace precipice
