#include "harness/trial/interrupt.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

namespace precipice {
namespace {

// How long the orderly end may take after the second signal: at once, to the eye.
constexpr timeval kGrace{0, 250'000};

std::atomic<int> signals{0};
std::atomic<bool> wanted{false};
std::atomic<bool> now{false};
std::atomic<bool> first_is_enough{false};
std::atomic<bool> on_terminal{false};
std::atomic<int> crash_file{-1};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

// Read by the handler, on whichever thread it runs: the memory stays, and of a text that is being
// replaced it may see some of both.
constexpr int kDeepest = 8;
std::array<std::array<char, 200>, kDeepest> awaited;
std::atomic<int> depth{0};
std::array<char, 4000> last_words;

void copy(std::string_view text, char* to, std::size_t room) {
  const std::size_t length = std::min(text.size(), room - 1);
  std::copy_n(text.data(), length, to);
  to[length] = '\0';
}

// From here on, only what is allowed in a signal handler, since the process may hold any lock.

void say(const char* text) {
  const int error = errno;
  // Where nobody can read it, it is no reason to stop.
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) errno = error;
}

/// A terminal has just shown ^C, or holds the live line.
void begin_line() {
  if (on_terminal.load()) say("\n");
  say("precipice: ");
}

void say_what_is_awaited() {
  const int inside = std::min(depth.load(), kDeepest);
  begin_line();
  say(first_is_enough.load() || inside == 0 ? "" : "stopping when this step has ended: ");
  say(inside == 0 ? "stopping" : awaited[static_cast<std::size_t>(inside - 1)].data());
  say("; once more to stop at once\n");
}

void end_at_once() {
  // The next start need not wonder what this one died of.
  const int file = crash_file.exchange(-1);
  if (file >= 0 && ftruncate(file, 0) != 0) errno = 0;
  begin_line();
  say(last_words[0] == '\0' ? "interrupted" : last_words.data());
  say("\n");
  _exit(130);
}

void handle_alarm(int) { end_at_once(); }

void handle(int) {
  const int error = errno;
  const int nth = signals.fetch_add(1) + 1;
  wanted.store(true);
  if (nth >= 2 || first_is_enough.load()) now.store(true);
  if (nth == 1) say_what_is_awaited();
  if (nth == 2) {
    const itimerval once{{0, 0}, kGrace};
    if (setitimer(ITIMER_REAL, &once, nullptr) != 0) end_at_once();
  }
  if (nth >= 3) end_at_once();
  errno = error;
}

constexpr std::array kFatal = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
std::array<struct sigaction, kFatal.size()> before_ours;
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
  on_terminal.store(isatty(STDERR_FILENO) != 0);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A closed terminal, unless nohup has said that it does not matter.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
  struct sigaction alarm {};
  alarm.sa_handler = handle_alarm;
  alarm.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &alarm, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

const std::atomic<bool>& stop_wanted() { return wanted; }
const std::atomic<bool>& stop_now() { return now; }

Awaited::Awaited(std::string_view text) {
  const int outside = depth.load();
  if (outside < kDeepest) {
    auto& place = awaited[static_cast<std::size_t>(outside)];
    copy(text, place.data(), place.size());
  }
  depth.store(outside + 1);
}
Awaited::~Awaited() { depth.fetch_sub(1); }

void set_last_words(std::string_view text) { copy(text, last_words.data(), last_words.size()); }

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
