// The servers that workloads call, whatever they are: the rpc backend, which is a part of this
// process and made anew for each trial, and server processes, which are kept between trials.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "harness/trial/downstream_server.hpp"
#include "harness/trial/rpc_backend.hpp"
#include "models/cpu_set.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// Server processes from their first use to the end. One thread uses them.
class Downstreams {
 public:
  /// On these CPUs from now on; started if it does not run, also after it has died. As the
  /// constructor of DownstreamServer.
  DownstreamServer& running(Downstream which, const CpuSet& cpus,
                            const std::function<void()>& may_give_up);

 private:
  std::map<Downstream, std::unique_ptr<DownstreamServer>> servers_;
};

/// The server of one workload while that is prepared, calibrated or on trial. As a Backend, as to
/// threads.
class ServedDownstream {
 public:
  /// Has what the workload calls running on `cpus`, if it calls anything, and enters into `setup`
  /// where it is reached. A server that ran already stays where it is. `thread`: who serves a
  /// backend that is a part of this process. Throws Unavailable, and what setup.may_give_up throws.
  ServedDownstream(Downstreams& downstreams, const Workload& workload, const CpuSet& cpus,
                   WorkloadSetup& setup, BackendThread thread = BackendThread::own);

  bool any() const { return backend_.has_value() || process_.has_value(); }
  /// The backend that is a part of this process, or nullptr.
  Backend* backend() { return backend_ ? &*backend_ : nullptr; }
  void begin_interval();
  /// All load is offered, which has taken the generator's thread this much CPU time since
  /// begin_interval.
  void end_offering(double generator_cpu_ns);
  /// Since begin_interval; nullopt where the workload calls nothing, or a server that ran already
  /// and is not bound to `cpus`, or not to be found.
  std::optional<BackendReport> report();

 private:
  bool runs() const;

  std::optional<Backend> backend_;
  DownstreamServer* server_ = nullptr;
  std::optional<pid_t> process_;  ///< the server's, or that of one that ran already
  std::size_t cpus_ = 1;          ///< that it can use
  const std::size_t shared_cpus_;
  std::int64_t begun_ns_ = 0;
  double begun_cpu_ns_ = 0;
  double shared_cpus_busy_ = 0, generator_share_ = 0;
};

}  // namespace precipice
