#include "harness/trial/wake_up_precedence.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace precipice {
namespace {

/// Whether the machine lets this process have real-time threads.
bool may_have_real_time() {
  bool may = false;
  std::thread([&may] {
    const sched_param lowest{1};
    may = sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
  }).join();
  return may;
}

TEST(WakeUpPrecedence, IsRealTimeWhereThatIsAllowedAndEndsWithItsScope) {
  const int expected = may_have_real_time() ? SCHED_FIFO : SCHED_OTHER;
  std::thread([expected] {
    {
      const WakeUpPrecedence first(WakeUpPrecedence::Kind::real_time);
      EXPECT_EQ(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, expected);
      // A thread per request is made by the generator's, and is the model's.
      std::thread([] { EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER); }).join();
    }
    EXPECT_EQ(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, SCHED_OTHER);
  }).join();
}

TEST(WakeUpPrecedence, KeepsThePolicyWhereSlicesAreShort) {
  for (const auto kind : {WakeUpPrecedence::Kind::none, WakeUpPrecedence::Kind::short_slice}) {
    const WakeUpPrecedence precedence(kind);
    EXPECT_EQ(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, SCHED_OTHER);
  }
}

TEST(WakeUpPrecedence, LeavesAThreadOfAnotherPolicyAsItIs) {
  std::thread([] {
    const sched_param none{0};
    ASSERT_EQ(sched_setscheduler(0, SCHED_IDLE, &none), 0);
    const WakeUpPrecedence first(WakeUpPrecedence::Kind::real_time);
    EXPECT_EQ(sched_getscheduler(0), SCHED_IDLE);
  }).join();
}

}  // namespace
}  // namespace precipice
