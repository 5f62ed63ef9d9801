#include "harness/trial/wake_up_precedence.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace precipice {
namespace {

constexpr std::uint64_t kResetOnFork = 0x01;  // SCHED_FLAG_RESET_ON_FORK

bool normal(std::uint32_t policy) { return policy == SCHED_OTHER || policy == SCHED_BATCH; }

}  // namespace

bool WakeUpPrecedence::set(Attributes wanted) noexcept {
  wanted.size = sizeof wanted;
  return syscall(SYS_sched_setattr, 0, &wanted, 0) == 0;
}

WakeUpPrecedence::WakeUpPrecedence(Kind kind) noexcept {
  if (kind == Kind::none || syscall(SYS_sched_getattr, 0, &before_, sizeof before_, 0) != 0 ||
      !normal(before_.policy))
    return;
  if (kind == Kind::real_time) {
    changed_ = set({.size = 0,
                    .policy = SCHED_FIFO,
                    .flags = kResetOnFork,
                    .nice = 0,
                    .priority = 1,
                    .runtime_ns = 0,
                    .deadline_ns = 0,
                    .period_ns = 0});
    if (changed_) return;
  }
  Attributes shorter = before_;
  shorter.flags |= kResetOnFork;
  shorter.runtime_ns = 100'000;  // the shortest that the kernel accepts
  changed_ = set(shorter);
}

WakeUpPrecedence::~WakeUpPrecedence() {
  if (!changed_ || set(before_)) return;
  // Without privileges a thread cannot give up that its children start anew.
  before_.flags |= kResetOnFork;
  set(before_);
}

}  // namespace precipice
