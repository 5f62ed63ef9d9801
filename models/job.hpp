// What a model runs for every request. The harness supplies it; a model knows neither the workload
// nor the stamps behind it.
#pragma once

#include <new>
#include <span>

#include "models/request.hpp"
#include "models/task.hpp"

namespace precipice {

class Io;

/// A coroutine factory with its context. For every accepted request a model calls exactly one of
/// `run` (through `execute` below) and `refuse`, on whichever thread it likes.
///
/// A policy takes `run` apart: `attempt` does the work of one attempt and has no other effect, and
/// `end` ends the request, once, with the outcome of the attempt that counts.
struct Job {
  Task<void> (*run)(void* context, Io& io, Request request) = nullptr;
  void (*refuse)(void* context, const Request& request, Refusal why) noexcept = nullptr;
  void* context = nullptr;
  // For policies; a model calls none of these.
  /// Throws std::bad_alloc when there is no memory for the frame, and nothing else.
  Task<Outcome> (*attempt)(void* context, Io& io, Request request) = nullptr;
  /// Several at once, as one piece of work; one outcome each. The spans outlive it.
  Task<void> (*attempt_many)(void* context, Io& io, std::span<const Request> requests,
                             std::span<Outcome> outcomes) = nullptr;
  /// False when the request has ended before, so that this outcome is of no use to anybody.
  bool (*end)(void* context, const Request& request, const Outcome& outcome) noexcept = nullptr;
};

/// Creates the request's coroutine and starts it on this thread. `done(done_context)` is called
/// exactly once when the request has ended, on whichever thread ended it, after its frame is gone.
/// When there is no memory for the frame the request is refused (memory) and `done` is called
/// before this returns.
inline void execute(const Job& job, Io& io, const Request& request, void (*done)(void*),
                    void* done_context) noexcept {
  try {
    job.run(job.context, io, request).start(done, done_context);
  } catch (const std::bad_alloc&) {  // only frame creation can throw: top-level coroutines catch
                                     // their own
    job.refuse(job.context, request, Refusal::memory);
    done(done_context);
  }
}

}  // namespace precipice
