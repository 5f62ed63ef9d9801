#include "harness/interrupt.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

namespace precipice {
namespace {

std::atomic<int> signals{0};
std::atomic<bool> now{false};
std::atomic<bool> first_is_enough{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void handle(int) {
  const int nth = signals.fetch_add(1) + 1;
  if (nth >= 2 || first_is_enough.load()) now.store(true);
  if (nth >= 3) _exit(130);
}

constexpr std::array kFatal = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
std::array<struct sigaction, kFatal.size()> before_ours;
std::atomic<int> crash_file{-1};
static_assert(std::atomic<int>::is_always_lock_free);

/// Only what is allowed in a signal handler, since the process may have any lock.
void note_crash(int number) {
  const int fd = crash_file.exchange(-1);
  if (fd >= 0) {
    char text[] = "signal 00\n";
    text[7] = static_cast<char>('0' + number / 10);
    text[8] = static_cast<char>('0' + number % 10);
    if (write(fd, text, sizeof text - 1) < 0) errno = 0;  // then the sentence is lost
  }
  for (std::size_t i = 0; i < kFatal.size(); ++i) {
    if (kFatal[i] == number) sigaction(number, &before_ours[i], nullptr);
  }
  raise(number);  // delivered when this returns
}

}  // namespace

void watch_signals(bool at_once) {
  first_is_enough.store(at_once);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A closed terminal, unless nohup has said that it does not matter.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool stop_wanted() { return signals.load() > 0; }
const std::atomic<bool>& stop_now() { return now; }

void note_crashes_in(int fd) {
  const bool first = crash_file.exchange(fd) < 0;
  if (fd >= 0 && first) {
    struct sigaction action {};
    action.sa_handler = note_crash;
    action.sa_flags = SA_ONSTACK;  // where there is one: the fault may be the end of the stack
    for (std::size_t i = 0; i < kFatal.size(); ++i) sigaction(kFatal[i], &action, &before_ours[i]);
  } else if (fd < 0 && !first) {
    for (std::size_t i = 0; i < kFatal.size(); ++i) sigaction(kFatal[i], &before_ours[i], nullptr);
  }
}

}  // namespace precipice
