// SIGINT, SIGTERM and SIGHUP as wishes: the first asks to stop after the trial under way, the
// second at once. And a last word of a process that crashes.
#pragma once

#include <atomic>
#include <stdexcept>

namespace precipice {

/// What was under way was cut short by the user. Exit code 130.
struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Installs the handlers. With `at_once` the first signal already cuts the trial short. A third
/// signal ends the process. Also ignores SIGPIPE and SIGXFSZ, which then show as write errors.
void watch_signals(bool at_once);
/// The user wants to stop.
bool stop_wanted();
/// Becomes true when the trial under way is to be cut short.
const std::atomic<bool>& stop_now();

/// From now on a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) appends the line "signal
/// N" to this descriptor before the process dies of it as it would have; -1: no longer.
void note_crashes_in(int fd);

}  // namespace precipice
