// What a model runs for every request. The harness supplies it; a model knows neither the workload
// nor the stamps behind it.
#pragma once

#include <new>

#include "models/request.hpp"
#include "models/task.hpp"

namespace precipice {

class Io;

/// A coroutine factory with its context. For every accepted request a model calls exactly one of
/// `run` (through `execute` below) and `refuse`, on whichever thread it likes.
struct Job {
  Task<void> (*run)(void* context, Io& io, Request request) = nullptr;
  void (*refuse)(void* context, const Request& request, Refusal why) noexcept = nullptr;
  void* context = nullptr;
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
