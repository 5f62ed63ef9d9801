// The peer that the rpc workload calls: it answers each request after the delay that this asks for.
// It belongs to the generator's side, so that a model's CPUs run the model alone, and it measures
// itself: a slow backend must not pass for a slow model.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <memory>

#include "harness/trial/rpc_backend_report.hpp"
#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// Who serves a backend.
enum class BackendThread : std::uint8_t {
  own,      ///< a thread of its own, which waits in the kernel and never spins
  callers,  ///< the thread that makes it, whenever it calls serve_until
};

/// Runs from construction to stop. Of the public members, report and stop may be called by any
/// thread, the others by the one that made it.
class Backend {
 public:
  /// Listens on an ephemeral port of 127.0.0.1. A thread of its own is pinned to `cpus` (anywhere
  /// if empty). Throws Unavailable.
  explicit Backend(const CpuSet& cpus, BackendThread thread = BackendThread::own);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend();

  /// Without a thread of its own: serves until `until`, or until a signal arrives. It sleeps until
  /// `margin` before the next thing to do and polls from then on; with a margin of 0 it only
  /// sleeps. When `until` is past, it does what was due before that and no more: called before each
  /// arrival, it makes the earliest due of arrivals, replies and requests go first. A stopped one
  /// only waits.
  void serve_until(Time until, Nanos margin) noexcept;

  sockaddr_in address() const;
  /// Forgets what was measured so far.
  void begin_interval();
  /// Since begin_interval, or the start. Throws std::bad_alloc when it ran out of memory: it has
  /// closed every connection then.
  BackendReport report() const;
  /// Closes every connection, unanswered requests or not, and joins a thread of its own. Can be
  /// repeated. When serve_until is another thread's, that closes them, and this does not wait for
  /// it.
  void stop() noexcept;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace precipice
