// The program as a child of a test: started, watched, killed, and asked what it left.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace precipice::testing {

struct ChildOptions {
  std::map<std::string, std::string> environment;  ///< besides the test's own
  std::string out = "/dev/null", err = "/dev/null";
  std::optional<rlim_t> largest_file;  ///< RLIMIT_FSIZE, bytes
  std::optional<uid_t> user;           ///< only where the test is root
};

/// How it ended.
struct Ended {
  int code = -1;   ///< exit code, or -1
  int signal = 0;  ///< that killed it, or 0
};

class Child {
 public:
  Child(const std::vector<std::string>& argv, const ChildOptions& options);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Killed if it is still there.
  ~Child();

  pid_t pid() const { return pid_; }
  bool running();
  /// By SIGSTOP; a process that is only being looked at by a tracer is not.
  bool stopped() const;
  void send(int signal);
  /// Until it has ended; after two minutes it is killed and the test fails.
  Ended wait();

 private:
  pid_t pid_ = -1;
  std::optional<Ended> ended_;
};

}  // namespace precipice::testing
