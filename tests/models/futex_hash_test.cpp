// Threads that wait do not stand in the way of others that do.
#include "models/futex_hash.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>

namespace precipice {
namespace {

int slots() { return prctl(78 /* PR_FUTEX_HASH */, 2 /* PR_FUTEX_HASH_GET_SLOTS */, 0, 0, 0); }

TEST(FutexHash, HasABucketForEachThreadAndShrinksForNobody) {
  spread_futexes(1);  // never harms, whatever the kernel
  if (slots() <= 0) GTEST_SKIP() << "this kernel keeps no table for each process";
  spread_futexes(1000);
  EXPECT_GE(slots(), 1000);
  const int before = slots();
  spread_futexes(2);
  EXPECT_EQ(slots(), before);
}

}  // namespace
}  // namespace precipice
