// The job that models run: the workload's coroutine between two stamps. Neither side sees the
// stamps.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "harness/trial/slots.hpp"
#include "models/in_flight_integral.hpp"
#include "models/job.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// What happens after a request has ended, on the thread that ended it: a closed loop issues the
/// next one.
class AfterEnd {
 public:
  virtual ~AfterEnd() = default;
  virtual void ended(std::int64_t at_ns) noexcept = 0;
};

/// Wraps a workload into a Job that records begin, end, outcome and digest. Must outlive every
/// request.
class InstrumentedJob {
 public:
  InstrumentedJob(Workload& workload, Slots& slots, InFlightIntegral& in_flight)
      : workload_(workload), slots_(slots), in_flight_(in_flight) {}

  /// Set before the first request: the times in the slots count from here.
  void set_epoch(Time epoch) { epoch_ns_ = epoch.time_since_epoch().count(); }
  void set_after_end(AfterEnd* after) { after_ = after; }
  /// The digest of each seed, which every attempt of a policy is checked against.
  void set_digests(std::span<const std::uint64_t> digests) { digests_ = digests; }
  Job job() {
    return {.run = &InstrumentedJob::run,
            .refuse = &InstrumentedJob::refuse,
            .context = this,
            .attempt = &InstrumentedJob::attempt,
            .attempt_many = &InstrumentedJob::attempt_many,
            .end = &InstrumentedJob::end};
  }
  /// Attempts that succeeded with another digest than `inline` has.
  std::uint64_t wrong_attempts() const { return wrong_attempts_.load(std::memory_order_relaxed); }

 private:
  static Task<void> run(void* self, Io& io, Request request);
  static void refuse(void* self, const Request& request, Refusal why) noexcept;
  static Task<Outcome> attempt(void* self, Io& io, Request request);
  static Task<void> attempt_many(void* self, Io& io, std::span<const Request> requests,
                                 std::span<Outcome> outcomes);
  static bool end(void* self, const Request& request, const Outcome& outcome) noexcept;
  void begin(const Request& request) noexcept;
  void check(const Request& request, const Outcome& outcome) noexcept;
  std::int64_t since_epoch() const { return Clock::now().time_since_epoch().count() - epoch_ns_; }
  static Outcome outcome_of_exception() noexcept;

  Workload& workload_;
  Slots& slots_;
  InFlightIntegral& in_flight_;
  AfterEnd* after_ = nullptr;
  std::int64_t epoch_ns_ = 0;
  std::span<const std::uint64_t> digests_;
  std::atomic<std::uint64_t> wrong_attempts_{0};
};

}  // namespace precipice
