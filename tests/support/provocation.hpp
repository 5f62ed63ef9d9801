// What tests that provoke a gate have in common: a directory for one test, and a child that
// disturbs or is disturbed.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "models/cpu_set.hpp"

extern char** environ;

namespace precipice::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "precipice-verdicts-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A shell command as a child; killed by its id if it still runs at the end.
class ShellChild {
 public:
  explicit ShellChild(const std::string& command) {
    std::string shell = "sh", option = "-c", line = command;
    char* const arguments[] = {shell.data(), option.data(), line.data(), nullptr};
    if (posix_spawn(&pid_, "/bin/sh", nullptr, nullptr, arguments, environ) != 0) pid_ = -1;
  }
  ShellChild(const ShellChild&) = delete;
  ShellChild& operator=(const ShellChild&) = delete;
  ~ShellChild() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }
  pid_t pid() const { return pid_; }
  void pin(const CpuSet& cpus) const {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus.list()) CPU_SET(static_cast<std::size_t>(cpu), &set);
    ASSERT_EQ(sched_setaffinity(pid_, sizeof set, &set), 0);
  }
  bool ended() {
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) note(status);
    return pid_ < 0;
  }
  void wait() {
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, 0) == pid_) note(status);
  }
  /// Of a child that has ended by itself; else -1.
  int exit_code() const { return exit_code_; }
  /// It has a thread of this name.
  bool has_thread(const std::string& name) const {
    std::error_code failed;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task", failed)) {
      std::string command;
      std::getline(std::ifstream(task.path() / "comm"), command);
      if (command == name) return true;
    }
    return false;
  }

 private:
  void note(int status) {
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    pid_ = -1;
  }

  pid_t pid_ = -1;
  int exit_code_ = -1;
};

}  // namespace precipice::testing
