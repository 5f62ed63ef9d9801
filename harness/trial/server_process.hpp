// A server program as a child of this process, which it never outlives.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// Whom a server runs as.
struct ServerUser {
  uid_t user = 0;
  gid_t group = 0;
};

/// For programs that refuse to run as root, and for those that need not: where this process is
/// root, the first of these users that the machine knows, else nobody. Nullopt where it is not.
std::optional<ServerUser> unprivileged_user(const std::vector<std::string>& names);

struct ServerCommand {
  std::vector<std::string> argv;  ///< the program's path, and its arguments
  std::string directory;          ///< where it runs
  std::string log;                ///< a file, to which its output is appended
  std::optional<ServerUser> user{};
  int quick_end;  ///< the signal on which it ends at once; it gets it when this process dies, too
};

/// Runs from construction to destruction. It is the leader of a session of its own, so that Ctrl-C
/// at the terminal does not end it before its last request. One thread uses it, and lives as long:
/// the kernel takes the end of the thread for that of the process (PR_SET_PDEATHSIG in prctl(2)).
class ServerProcess {
 public:
  /// Throws Unavailable: the program cannot be run, or there is no further process.
  ServerProcess(const ServerCommand& command, const CpuSet& cpus);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  /// Ends it: at once by its own signal, and after some seconds by SIGKILL.
  ~ServerProcess();

  pid_t pid() const { return pid_; }
  bool running();
  /// Its exit code once it is not running: 128 and more for a signal.
  int exit_code() const { return exit_code_; }
  /// Until it has ended, for as long as `limit`. True when it has.
  bool wait(Nanos limit);

 private:
  pid_t pid_ = -1;
  int quick_end_;
  bool ended_ = false;
  int exit_code_ = -1;
};

}  // namespace precipice
