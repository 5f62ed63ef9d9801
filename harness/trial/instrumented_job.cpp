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

}  // namespace precipice
