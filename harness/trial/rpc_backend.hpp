// The peer that the rpc workload calls: one thread that answers each request after the delay it
// asks for. It belongs to the generator's side, so that a model's CPUs run the model alone, and it
// measures itself: a slow backend must not pass for a slow model.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <memory>

#include "models/cpu_set.hpp"

namespace precipice {

/// The backend's own conduct over an interval, for the backend gate.
struct BackendReport {
  bool stopped = false;  ///< it is gone, and what it left unanswered is no fault of a model
  /// From when a reply was due to when the kernel had taken it (or as much as fitted).
  std::int64_t lag_p50_ns = 0, lag_p99_ns = 0, lag_max_ns = 0;
  double busy = 0;                ///< its thread's CPU time over wall time, 0 to 1
  double cpu_ns = 0;              ///< its thread's CPU time
  std::uint64_t requests = 0;     ///< answered
  std::uint64_t connections = 0;  ///< open now
  std::uint64_t refused = 0;      ///< connections closed at once for want of descriptors
};

/// Runs from construction to stop. The public members are called by one thread.
class Backend {
 public:
  /// Listens on an ephemeral port of 127.0.0.1; its thread is pinned to `cpus` (anywhere if empty).
  /// Waits for timers in the kernel and never spins, because it may share its CPU with the
  /// generator. Throws Unavailable.
  explicit Backend(const CpuSet& cpus);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend();

  sockaddr_in address() const;
  /// Forgets what was measured so far.
  void begin_interval();
  /// Since begin_interval, or the start. Throws std::bad_alloc when its thread ran out of memory:
  /// it has closed every connection then.
  BackendReport report() const;
  /// Closes every connection, unanswered requests or not, and joins the thread. Can be repeated.
  void stop() noexcept;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace precipice
