// What a client over sockets observes beside the requests themselves.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace precipice {

/// Of one trial over sockets. Shares are of the window, from 0 to 1.
struct NetworkFigures {
  std::uint64_t connections = 0;  ///< of the client, all threads together
  std::uint64_t threads = 0;
  std::uint64_t connects = 0;         ///< connections made from the epoch on: those that were lost
  std::uint64_t failed_connects = 0;  ///< attempts that failed
  /// With no connection free: the open loop is closed at `connections` then. The mean over threads.
  double all_busy = 0;
  double on_time = 1;  ///< arrivals that the client took up within the bound of its own lag
  /// Of the client's busiest thread: its CPU time where it waits by blocking, else the share of
  /// time in which it had something to do.
  double client_busy = 0;
  std::uint64_t partial_sends = 0;  ///< requests that the kernel did not take whole at once
  std::uint64_t slow_clients = 0;   ///< kept beside those of the requests
  std::uint64_t slow_lost = 0;      ///< times that the server, or the network, closed one of them
  /// TCP connections that found the accept queue full during the trial, of the whole network
  /// namespace (ListenOverflows, ListenDrops of /proc/net/netstat). nullopt where the server is
  /// elsewhere, or it is not shown.
  std::optional<std::uint64_t> listen_overflows;
  /// Open loop: all connections were busy for 5% of the window or more, and at the SLO's
  /// percentile the response missed the SLO while the time from begin_ns to completion met it.
  bool connections_bound = false;
  std::map<std::string, std::uint64_t> errors;  ///< failed requests by kind
};

}  // namespace precipice
