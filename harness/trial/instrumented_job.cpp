#include "harness/trial/instrumented_job.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

namespace precipice {

Outcome InstrumentedJob::outcome_of_exception() noexcept {
  static std::atomic<bool> logged{false};
  int error = ENOTRECOVERABLE;
  const char* what = "an exception of unknown type";
  try {
    throw;
  } catch (const std::bad_alloc& exception) {
    error = ENOMEM;
    what = exception.what();
  } catch (const std::system_error& exception) {
    error = exception.code().value();
    what = exception.what();
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
  }
  // Once a process: a request that throws is counted like any other failure, a million lines help
  // nobody.
  if (!logged.exchange(true))
    std::fprintf(stderr, "precipice: a request failed with an exception: %s\n", what);
  return Outcome::failed(error != 0 ? error : ENOTRECOVERABLE);
}

Task<void> InstrumentedJob::run(void* self, Io& io, Request request) {
  auto& job = *static_cast<InstrumentedJob*>(self);
  job.slots_[request.id].begin_ns = job.since_epoch();
  Outcome outcome;
  try {
    outcome = co_await job.workload_.run(io, request);
  } catch (...) {
    outcome = outcome_of_exception();
  }
  const std::int64_t at = job.since_epoch();
  job.slots_.complete(request.id, at, outcome);
  job.in_flight_.leave(at);
  if (job.after_ != nullptr) job.after_->ended(at);
}

void InstrumentedJob::refuse(void* self, const Request& request, Refusal why) noexcept {
  auto& job = *static_cast<InstrumentedJob*>(self);
  const std::int64_t at = job.since_epoch();
  job.slots_.refuse(request.id, at, why);
  job.in_flight_.leave(at);
  if (job.after_ != nullptr) job.after_->ended(at);
}

// A request's begin is that of its first attempt that has begun.
void InstrumentedJob::begin(const Request& request) noexcept {
  std::atomic_ref<std::int64_t> begin_ns(slots_[request.id].begin_ns);
  std::int64_t none = -1;
  if (begin_ns.load(std::memory_order_relaxed) == none)
    begin_ns.compare_exchange_strong(none, since_epoch(), std::memory_order_relaxed);
}

void InstrumentedJob::check(const Request& request, const Outcome& outcome) noexcept {
  if (outcome.succeeded() && !digests_.empty() && outcome.digest != digests_[request.seed])
    wrong_attempts_.fetch_add(1, std::memory_order_relaxed);
}

Task<Outcome> InstrumentedJob::attempt(void* self, Io& io, Request request) {
  auto& job = *static_cast<InstrumentedJob*>(self);
  job.begin(request);
  Outcome outcome;
  try {
    outcome = co_await job.workload_.run(io, request);
  } catch (...) {
    outcome = outcome_of_exception();
  }
  job.check(request, outcome);
  co_return outcome;
}

Task<void> InstrumentedJob::attempt_many(void* self, Io& io, std::span<const Request> requests,
                                         std::span<Outcome> outcomes) {
  auto& job = *static_cast<InstrumentedJob*>(self);
  for (const Request& request : requests) job.begin(request);
  for (Outcome& outcome : outcomes) outcome = Outcome::needless();
  Outcome of_the_rest = Outcome::failed(ENOTRECOVERABLE);
  try {
    co_await job.workload_.run_many(io, requests, outcomes);
  } catch (...) {
    of_the_rest = outcome_of_exception();
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (outcomes[i].error == Outcome::kNeedless) outcomes[i] = of_the_rest;
    job.check(requests[i], outcomes[i]);
  }
}

bool InstrumentedJob::end(void* self, const Request& request, const Outcome& outcome) noexcept {
  auto& job = *static_cast<InstrumentedJob*>(self);
  const std::int64_t at = job.since_epoch();
  job.slots_.complete(request.id, at, outcome);
  job.in_flight_.leave(at);
  if (job.after_ != nullptr) job.after_->ended(at);
  return true;
}

}  // namespace precipice
