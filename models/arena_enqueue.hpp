// Handing work to a oneTBB arena so that ThreadSanitizer sees the hand-off.
//
// Debian's libtbb is not instrumented: the tool sees a task written on one thread and run on
// another, but not the arena's queue in between, and reports everything that a task touches.
// Suppressing by library name would hide every race in a request as well, because libtbb is at the
// bottom of each worker's stack. So the two edges that the queue does provide are said here, per
// task; a release build compiles to a plain enqueue.
#pragma once

#include <tbb/task_arena.h>

#include <type_traits>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace precipice {

/// What this thread did so far happens before what a thread does after `order_after` of the same
/// address. Only tells the tool: the caller knows that something orders them.
inline void order_before([[maybe_unused]] void* address) noexcept {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(address);
#endif
}
inline void order_after([[maybe_unused]] void* address) noexcept {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(address);
#endif
}

namespace detail {

/// libtbb recycles the memory of tasks between threads.
inline char recycled_tasks;

/// Destroyed after what the task holds: only then may its memory be used again.
struct Recycled {
  Recycled() = default;
  Recycled(const Recycled&) {}
  Recycled& operator=(const Recycled&) = delete;
  ~Recycled() { order_before(&recycled_tasks); }
};

template <class Function>
class HandedOver {
 public:
  explicit HandedOver(const Function& function) : function_(function) {}
  /// Called when the task is written, as its last member.
  HandedOver(const HandedOver& other) : recycled_(other.recycled_), function_(other.function_) {
    order_before(this);
  }
  HandedOver& operator=(const HandedOver&) = delete;

  void operator()() const {
    order_after(const_cast<HandedOver*>(this));
    function_();
  }

 private:
  Recycled recycled_;
  Function function_;
};

/// libtbb frees what it has recycled for a thread when that thread ends, after its thread_locals.
struct FreedAtEnd {
  FreedAtEnd() {}  // not trivial, so that a thread registers the destructor with the first use
  ~FreedAtEnd() { order_after(&recycled_tasks); }
};

}  // namespace detail

/// Calls function() once on a worker of the arena. Thread-safe. Throws std::bad_alloc, and then it
/// will not be called; any other exception comes from launching one worker more, after the function
/// was queued for those that there are.
template <class Function>
void enqueue(tbb::task_arena& arena, const Function& function) {
#if defined(__SANITIZE_THREAD__)
  static thread_local detail::FreedAtEnd freed_at_end;
  static_cast<void>(freed_at_end);  // which constructs it
  order_after(&detail::recycled_tasks);
  arena.enqueue(detail::HandedOver<Function>(function));
#else
  arena.enqueue(function);
#endif
}

}  // namespace precipice
