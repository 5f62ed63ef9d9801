// What the sanitizers report of Debian's libtbb, which is not instrumented, and why it is not ours.
// Compiled in, so that a test binary started by hand knows it too.
#include <cstddef>
#include <cstring>

#include "tests/support/sanitized.hpp"

extern "C" {

const char* __tsan_default_suppressions();
const char* __lsan_default_suppressions();

// ThreadSanitizer does not see what orders libtbb's own memory: blocks that its allocator passes
// from one thread to another. The entries name files and a function of oneTBB whose frames are on a
// stack only while such a block is being made or released, never while a request runs
// (models/arena_enqueue.hpp tells the tool about the hand-off of the tasks themselves): the small
// object that holds an enqueued task, the pages of tbb::concurrent_queue (fixed_pool with
// queue=lockfree), and the memory of the arena's own queues, made by one thread and released by
// another.
const char* __tsan_default_suppressions() {
  return "race:_small_object_pool.h\n"
         "race:_concurrent_queue_base.h\n"
         "race:tbb::detail::r1::cache_aligned_allocate\n";
}

// The 40 bytes through which an arena tells its observer about workers: oneTBB's idle workers hold
// the last reference to them until the process ends.
const char* __lsan_default_suppressions() { return "leak:tbb::detail::r1::observe\n"; }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" void __sanitizer_symbolize_pc(void* at, const char* format, char* text,
                                         std::size_t size);
#endif

namespace precipice::testing {

void load_names_for_suppressions() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  char text[256];
  __sanitizer_symbolize_pc(reinterpret_cast<void*>(&load_names_for_suppressions), "%f", text,
                           sizeof text);
#endif
}

}  // namespace precipice::testing

// At the start of every process that runs many tests: one of them may take descriptors in a way of
// its own. Not in the several hundred processes of one death test each, of which those without
// descriptors ask for it.
[[gnu::constructor]] static void load_names_at_start(int count, char** arguments, char**) {
  for (int i = 1; i < count; ++i) {
    if (std::strstr(arguments[i], "internal_run_death_test") != nullptr) return;
  }
  precipice::testing::load_names_for_suppressions();
}
