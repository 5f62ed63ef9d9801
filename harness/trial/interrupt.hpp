// SIGINT, SIGTERM and SIGHUP: the first stops after the current trial and says what it waits for,
// the second ends the process at once. Also records the signal of a crash.
#pragma once

#include <atomic>
#include <stdexcept>
#include <string_view>

namespace precipice {

/// What was under way was cut short by the user. Exit code 130.
struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Installs the handlers. The first signal says on standard error what is waited for; with
/// `at_once` it already cuts the trial short. The second cuts it short in any case, and a quarter
/// of a second later the process ends with exit code 130 wherever it is; the third ends it in the
/// handler. What is in the journal by then stays. Also ignores SIGPIPE and SIGXFSZ, which then show
/// as write errors.
void watch_signals(bool at_once);
/// The user wants to stop. Becomes true with the first signal and stays so.
const std::atomic<bool>& stop_wanted();
/// Becomes true when the trial under way is to be cut short.
const std::atomic<bool>& stop_now();

/// While one lives, this is what the first signal says that it waits for, as in "requests of 10s
/// are under way". The innermost counts. One thread makes them all. The text is cut to 200 bytes.
class Awaited {
 public:
  explicit Awaited(std::string_view text);
  Awaited(const Awaited&) = delete;
  Awaited& operator=(const Awaited&) = delete;
  ~Awaited();
};

/// What is said when a signal ends the process before it could say anything else, such as how to
/// continue. The text is cut to 4,000 bytes.
void set_last_words(std::string_view text);

/// From now on a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) appends the line "signal
/// N" to this descriptor before the process dies of it as it would have; -1: no longer.
void note_crashes_in(int fd);

}  // namespace precipice
