#include "tests/faults/fault_hooks.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace precipice::testing {
namespace {

std::atomic<bool> threads_limited{false};
std::atomic<std::int64_t> threads_allowed{0};
std::atomic<std::uint64_t> threads_refused{0};

struct Counted {
  void* (*start)(void*);
  void* argument;
};
void* run_counted(void* given) {
  const Counted counted = *static_cast<Counted*>(given);
  std::free(given);
  void* const result = counted.start(counted.argument);
  threads_allowed.fetch_add(1);
  return result;
}

thread_local std::uint64_t new_countdown = 0;
thread_local bool new_stays_failed = false;
std::atomic<std::uint64_t> new_failures{0};

bool new_fails() noexcept {
  if (new_countdown == 0) return false;
  if (new_countdown > 1) {
    --new_countdown;
    return false;
  }
  if (!new_stays_failed) new_countdown = 0;
  new_failures.fetch_add(1, std::memory_order_relaxed);
  return true;
}

/// 0, or the negative errno that the call is answered with.
int enter_fault() noexcept {
  static std::atomic<unsigned> calls{0};
  RingFaults& faults = ring_faults();
  const unsigned every = faults.enter_every.load();
  if (every == 0 || calls.fetch_add(1) % every != 0) return 0;
  faults.enters_failed.fetch_add(1);
  return -faults.enter_error.load();
}

}  // namespace

ThreadsRefused::ThreadsRefused(std::int64_t allowed) noexcept {
  threads_refused.store(0);
  threads_allowed.store(allowed);
  threads_limited.store(true);
}
ThreadsRefused::~ThreadsRefused() { threads_limited.store(false); }
std::uint64_t ThreadsRefused::refused() noexcept { return threads_refused.load(); }

void fail_new_after(std::uint64_t n) noexcept {
  new_countdown = n;
  new_stays_failed = false;
}
void fail_every_new_after(std::uint64_t n) noexcept {
  new_countdown = n;
  new_stays_failed = n != 0;
}
std::uint64_t news_failed() noexcept { return new_failures.load(); }

RingFaults& ring_faults() noexcept {
  static RingFaults instance;
  return instance;
}

void RingFaultsScope::reset() noexcept {
  RingFaults& faults = ring_faults();
  faults.known_flags = ~0U;
  faults.features = ~0U;
  faults.setup_error = 0;
  faults.completions = 0;
  faults.register_error = 0;
  faults.enter_every = 0;
  faults.enter_error = 0;
  faults.setups = 0;
  faults.setups_refused = 0;
  faults.enters_failed = 0;
}

}  // namespace precipice::testing

namespace hooks = precipice::testing;

extern "C" {

// In front of libc's for libstdc++ and libtbb as well; the next one is a sanitizer's or libc's.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Create next = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (!hooks::threads_limited.load()) return next(thread, attributes, start, argument);
  auto* counted = static_cast<hooks::Counted*>(std::malloc(sizeof(hooks::Counted)));
  if (counted == nullptr || hooks::threads_allowed.fetch_sub(1) <= 0) {
    hooks::threads_allowed.fetch_add(1);
    hooks::threads_refused.fetch_add(1);
    std::free(counted);
    return EAGAIN;
  }
  *counted = {start, argument};
  const int error = next(thread, attributes, hooks::run_counted, counted);
  if (error != 0) std::free(counted);
  return error;
}

void* __real__Znwm(std::size_t bytes);
void* __wrap__Znwm(std::size_t bytes) {
  if (hooks::new_fails()) throw std::bad_alloc();
  return __real__Znwm(bytes);
}
void* __real__ZnwmRKSt9nothrow_t(std::size_t bytes, const std::nothrow_t& tag);
void* __wrap__ZnwmRKSt9nothrow_t(std::size_t bytes, const std::nothrow_t& tag) {
  return hooks::new_fails() ? nullptr : __real__ZnwmRKSt9nothrow_t(bytes, tag);
}

void* __real__ZnwmSt11align_val_t(std::size_t bytes, std::align_val_t alignment);
void* __wrap__ZnwmSt11align_val_t(std::size_t bytes, std::align_val_t alignment) {
  if (hooks::new_fails()) throw std::bad_alloc();
  return __real__ZnwmSt11align_val_t(bytes, alignment);
}

int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params);
int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  hooks::RingFaults& faults = hooks::ring_faults();
  faults.setups.fetch_add(1);
  int error = faults.setup_error.load();
  if (error == 0 && (params->flags & ~faults.known_flags.load()) != 0) error = EINVAL;
  if (error != 0) {
    faults.setups_refused.fetch_add(1);
    return -error;
  }
  if (const unsigned completions = faults.completions.load()) params->cq_entries = completions;
  const int answer = __real_io_uring_queue_init_params(entries, ring, params);
  if (answer == 0) ring->features &= faults.features.load();
  return answer;
}

int __real_io_uring_submit(io_uring* ring);
int __wrap_io_uring_submit(io_uring* ring) {
  const int fault = hooks::enter_fault();
  return fault != 0 ? fault : __real_io_uring_submit(ring);
}
int __real_io_uring_submit_and_get_events(io_uring* ring);
int __wrap_io_uring_submit_and_get_events(io_uring* ring) {
  const int fault = hooks::enter_fault();
  return fault != 0 ? fault : __real_io_uring_submit_and_get_events(ring);
}
int __real_io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** cqe, unsigned wait,
                                            __kernel_timespec* timeout, sigset_t* mask);
int __wrap_io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** cqe, unsigned wait,
                                            __kernel_timespec* timeout, sigset_t* mask) {
  const int fault = hooks::enter_fault();
  return fault != 0 ? fault
                    : __real_io_uring_submit_and_wait_timeout(ring, cqe, wait, timeout, mask);
}

int __real_io_uring_register_files(io_uring* ring, const int* files, unsigned count);
int __wrap_io_uring_register_files(io_uring* ring, const int* files, unsigned count) {
  const int error = hooks::ring_faults().register_error.load();
  return error != 0 ? -error : __real_io_uring_register_files(ring, files, count);
}
int __real_io_uring_register_buffers(io_uring* ring, const iovec* buffers, unsigned count);
int __wrap_io_uring_register_buffers(io_uring* ring, const iovec* buffers, unsigned count) {
  const int error = hooks::ring_faults().register_error.load();
  return error != 0 ? -error : __real_io_uring_register_buffers(ring, buffers, count);
}
int __real_io_uring_register_iowq_max_workers(io_uring* ring, unsigned* limits);
int __wrap_io_uring_register_iowq_max_workers(io_uring* ring, unsigned* limits) {
  const int error = hooks::ring_faults().register_error.load();
  return error != 0 ? -error : __real_io_uring_register_iowq_max_workers(ring, limits);
}
int __real_io_uring_register_iowq_aff(io_uring* ring, std::size_t bytes, const cpu_set_t* cpus);
int __wrap_io_uring_register_iowq_aff(io_uring* ring, std::size_t bytes, const cpu_set_t* cpus) {
  const int error = hooks::ring_faults().register_error.load();
  return error != 0 ? -error : __real_io_uring_register_iowq_aff(ring, bytes, cpus);
}
int __real_io_uring_register_ring_fd(io_uring* ring);
int __wrap_io_uring_register_ring_fd(io_uring* ring) {
  const int error = hooks::ring_faults().register_error.load();
  return error != 0 ? -error : __real_io_uring_register_ring_fd(ring);
}

}  // extern "C"
