// What a backend measured of itself over an interval.
#pragma once

#include <cstdint>

namespace precipice {

/// The backend's own conduct over an interval, for the backend gate.
struct BackendReport {
  /// A server program, which has all CPU time that it can get: it is a part of what is measured, so
  /// that neither its load nor its lag, which nobody measures, makes a trial invalid.
  bool own_process = false;
  /// Of the CPUs that a server program shares with the generator, while load was offered: what both
  /// used, and the generator's part of that; 0 to 1.
  double shared_cpus_busy = 0, generator_share = 0;
  bool stopped = false;  ///< it is gone, and what it left unanswered is no fault of a model
  /// From when a reply was due to when the kernel had taken it (or as much as fitted), and how long
  /// the request may have waited to be read: since the look at the sockets before the one that
  /// found it.
  std::int64_t lag_p50_ns = 0, lag_p99_ns = 0, lag_max_ns = 0;
  /// CPU time of its thread over wall time, 0 to 1; of a process, over as many CPUs as it has and
  /// can use. Where it polls, which takes all CPU time there
  /// is, the time that it spent on requests, replies and polls that found something.
  double busy = 0;
  bool polled = false;            ///< by the thread that serves it, instead of sleeping
  double cpu_ns = 0;              ///< of its own thread or process; 0 where it has none
  std::uint64_t requests = 0;     ///< answered
  std::uint64_t connections = 0;  ///< open now
  std::uint64_t refused = 0;      ///< connections closed at once for want of descriptors
};

}  // namespace precipice
