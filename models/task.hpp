// The coroutine that every workload is written in. Lazily started, single owner, frames recycled
// per thread.
//
// Awaiting a Task starts it on the awaiting thread and then meets its end through one atomic
// exchange: whoever comes second (the awaiter that has suspended, or the child that has finished)
// goes on. g++ 12 grows the stack on symmetric transfer at -O0, -O1 and under sanitizers; this form
// does not, in any build: a child that finishes at once returns to its parent without a nested
// resume.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace precipice {

/// Memory for coroutine frames: size classes of 64 bytes, kept on free lists per thread (bounded),
/// so that a request costs no malloc in steady state. A frame may be freed on another thread than
/// the one that made it. Throws std::bad_alloc.
void* allocate_frame(std::size_t bytes);
void free_frame(void* frame, std::size_t bytes) noexcept;
/// Makes the n-th next frame allocation of this thread throw std::bad_alloc (1 = the next one; 0 =
/// never again). For fault-injection tests.
void fail_frame_allocation_after(std::size_t n) noexcept;

template <class T>
class Task;

namespace detail {

class PromiseBase {
 public:
  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.detached_) {
        void (*done)(void*) = promise.done_;
        void* context = promise.context_;
        self.destroy();
        if (done != nullptr) done(context);
        return;
      }
      if (promise.met_.exchange(true, std::memory_order_acq_rel)) promise.continuation_.resume();
    }
    void await_resume() const noexcept {}
  };
  Final final_suspend() const noexcept { return {}; }

 protected:
  template <class>
  friend class precipice::Task;

  std::coroutine_handle<> continuation_;
  std::exception_ptr exception_;
  void (*done_)(void*) = nullptr;
  void* context_ = nullptr;
  std::atomic<bool> met_{false};
  bool detached_ = false;
};

template <class T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    if (exception_) std::rethrow_exception(exception_);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const {
    if (exception_) std::rethrow_exception(exception_);
  }
};

}  // namespace detail

/// A coroutine that produces a T (or throws, on the awaiting side). Movable, not copyable. Not
/// thread-safe itself; the coroutine may suspend on one thread and be resumed by another.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// co_await task: runs it to its end, yields its value or rethrows its exception.
  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> child;
      bool await_ready() const noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> parent) const {
        detail::PromiseBase& promise = child.promise();
        promise.continuation_ = parent;
        child.resume();
        // Second here: the child has finished, so go on without suspending.
        return !promise.met_.exchange(true, std::memory_order_acq_rel);
      }
      T await_resume() const { return child.promise().take(); }
    };
    return Awaiter{handle_};
  }

  /// Starts a top-level task that frees itself: `done(context)` is called once, on whichever thread
  /// finishes it, after the frame is gone. An exception that escapes the coroutine is dropped, so a
  /// top-level coroutine catches its own.
  void start(void (*done)(void*), void* context) && {
    auto handle = std::exchange(handle_, nullptr);
    detail::PromiseBase& promise = handle.promise();
    promise.detached_ = true;
    promise.done_ = done;
    promise.context_ = context;
    handle.resume();
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace precipice
