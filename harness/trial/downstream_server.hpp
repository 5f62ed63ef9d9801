// A server that workloads call, started from Debian's packages as a process of its own: in a
// private directory, without persistence, reached over loopback or a socket in that directory.
#pragma once

#include <netinet/in.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "harness/trial/private_directory.hpp"
#include "harness/trial/server_process.hpp"
#include "models/cpu_set.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// Runs from construction to destruction. One thread uses it.
class DownstreamServer {
 public:
  /// Downstream::redis or postgres. Returns when it answers. `may_give_up`, if given, is called
  /// again and again until then; what it throws passes on. Throws Unavailable, which names the
  /// package that is missing, or the last line of the server's log.
  DownstreamServer(Downstream which, const CpuSet& cpus, const std::function<void()>& may_give_up);

  /// Where it is reached.
  void enter_into(WorkloadSetup& setup) const;
  bool running() { return process_->running(); }
  pid_t pid() const { return process_->pid(); }
  void place_on(const CpuSet& cpus);

 private:
  void start_redis(const std::function<void()>& may_give_up);
  void start_postgres(const std::function<void()>& may_give_up);
  bool await_text(std::string_view program, std::string_view text,
                  const std::function<void()>& may_give_up);
  std::string make_directory(const char* name, const std::optional<ServerUser>& user) const;
  std::string log() const { return directory_.path() + "/log"; }

  PrivateDirectory directory_;
  std::unique_ptr<ServerProcess> process_;
  CpuSet cpus_;
  std::optional<sockaddr_in> address_;
  std::string conninfo_;
};

}  // namespace precipice
