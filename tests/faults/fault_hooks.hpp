// Faults that a test asks for, at the edges where the models meet libc, liburing and the allocator.
// Nothing in models/ knows of them: the test executable defines pthread_create in front of libc's,
// and is linked with --wrap for the rest (tests/CMakeLists.txt names each). Every hook calls
// through while nothing is asked for, and under the sanitizers it calls through to theirs.
#pragma once

#include <liburing.h>

#include <atomic>
#include <cstdint>
#include <limits>

namespace precipice::testing {

/// Creation of threads, by anybody in the process. While one of these lives, `allowed` more may be
/// alive at once, and every further one is answered EAGAIN, as the kernel's limits have it.
class ThreadsRefused {
 public:
  explicit ThreadsRefused(std::int64_t allowed) noexcept;
  ThreadsRefused(const ThreadsRefused&) = delete;
  ThreadsRefused& operator=(const ThreadsRefused&) = delete;
  ~ThreadsRefused();
  /// How many have been refused so far.
  static std::uint64_t refused() noexcept;
};

/// Makes the n-th next operator new that code of this project (headers of libraries included, the
/// libraries themselves not) calls on this thread fail; 1 = the next one, 0 = none.
void fail_new_after(std::uint64_t n) noexcept;
/// The same for every operator new from the n-th on, until asked for 0.
void fail_every_new_after(std::uint64_t n) noexcept;
/// How many have failed on any thread since the process began.
std::uint64_t news_failed() noexcept;

/// What liburing answers in the place of the kernel, for all rings made meanwhile. The defaults
/// change nothing.
struct RingFaults {
  /// Setup flags that this kernel knows; others are answered EINVAL.
  std::atomic<unsigned> known_flags{~0U};
  /// Features that it reports.
  std::atomic<unsigned> features{~0U};
  /// errno value with which every setup fails; 0: none.
  std::atomic<int> setup_error{0};
  /// Size of every completion queue; 0: as asked for.
  std::atomic<unsigned> completions{0};
  /// errno value with which registering files, buffers and worker limits fails; 0: none.
  std::atomic<int> register_error{0};
  /// Of every `enter_every` system calls that submit or wait, one is answered -enter_error, having
  /// done nothing; 0: none.
  std::atomic<unsigned> enter_every{0};
  std::atomic<int> enter_error{0};

  // What happened.
  std::atomic<unsigned> setups{0};
  std::atomic<unsigned> setups_refused{0};
  std::atomic<std::uint64_t> enters_failed{0};
};
RingFaults& ring_faults() noexcept;
/// Back to the defaults, on construction and destruction.
class RingFaultsScope {
 public:
  RingFaultsScope() noexcept { reset(); }
  RingFaultsScope(const RingFaultsScope&) = delete;
  RingFaultsScope& operator=(const RingFaultsScope&) = delete;
  ~RingFaultsScope() { reset(); }
  RingFaults* operator->() const noexcept { return &ring_faults(); }

 private:
  static void reset() noexcept;
};

}  // namespace precipice::testing
