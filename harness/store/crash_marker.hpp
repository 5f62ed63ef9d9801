// Which trial was running when the process died: a small file beside the journal, written before
// each trial, read by the next start, which reports it and ends a loop of crashes. Not part of the
// results; written without fsync or atomic replacement because losing it only loses a message.
#pragma once

#include <string>

namespace precipice {

/// Not thread-safe; one per run's directory and process.
class CrashMarker {
 public:
  /// A trial is given up after this many starts of one run that it ended by a fatal signal.
  static constexpr int kMostCrashes = 3;
  /// The same for deaths that could not be recorded: SIGKILL, the kernel's out-of-memory killer, a
  /// loss of power, overflow of a thread's stack. Mostly intended by a user, so more are allowed.
  static constexpr int kMostDeaths = 10;

  /// Reads what an earlier start left at `path`, and notes fatal signals there from now on. What
  /// cannot be written is left out.
  explicit CrashMarker(std::string path);
  CrashMarker(const CrashMarker&) = delete;
  CrashMarker& operator=(const CrashMarker&) = delete;
  /// An orderly end: nothing is under way any more.
  ~CrashMarker();

  /// How the start before this one died, as a sentence, or "".
  std::string last_death() const;
  /// Notes that the trial `key` begins. Not "": why it should not be tried again.
  std::string begin(const std::string& key);
  /// It has ended, in whatever way that leaves the process alive.
  void end();

 private:
  std::string path_;
  int fd_ = -1;
  // What was found.
  std::string key_;
  int deaths_ = 0, crashes_ = 0;
  int signal_ = 0;  ///< of the last death; 0: none was noted
};

}  // namespace precipice
