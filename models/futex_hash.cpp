#include "models/futex_hash.hpp"

#include <sys/prctl.h>

#include <bit>

namespace precipice {

void spread_futexes(unsigned threads) noexcept {
  // Of Linux 6.17; older headers do not name them.
  constexpr int kFutexHash = 78, kSetSlots = 1, kGetSlots = 2;
  const int slots = prctl(kFutexHash, kGetSlots, 0, 0, 0);
  // None, or 0: all processes share one table, which is larger.
  if (slots <= 0 || static_cast<unsigned>(slots) >= threads) return;
  // Where the kernel has no memory for it, waiting is slow as before.
  prctl(kFutexHash, kSetSlots, static_cast<unsigned long>(std::bit_ceil(threads)), 0, 0);
}

}  // namespace precipice
