// What a server is started with.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/serve/connection_table.hpp"
#include "harness/serve/session.hpp"
#include "harness/trial/trial.hpp"
#include "models/cpu_set.hpp"

namespace precipice::serve {

/// How connections come to the executors.
enum class Placement : std::uint8_t {
  balanced,   ///< one acceptor hands each to the executor that has the fewest
  reuseport,  ///< a listening socket for each executor, which accepts its own
};

/// What runs for a connection between two requests.
enum class KeepAlive : std::uint8_t {
  own,   ///< the model: a thread or a coroutine waits for the next request
  park,  ///< nothing in the model; one thread watches all of them
};

/// A place in the tables of a chain is some hundred bytes.
inline constexpr std::uint32_t kMostPolicyRequests = 20'000'000;

struct ServeSettings {
  Spec model;
  std::vector<Spec> policies;  ///< before the model, outer first; connections then run on loops
  /// Most requests that ever go through the policies, where one of them numbers requests anew
  /// (batch); past it they are answered 503. 0: no policy does so, and there may be any number.
  std::uint32_t policy_requests = 0;
  Spec workload;         ///< of /work
  sockaddr_in listen{};  ///< port 0: any free one
  CpuSet cpus;           ///< the model's; not empty
  SessionLimits limits;
  Timeouts timeouts;
  Placement placement = Placement::balanced;
  KeepAlive keep_alive = KeepAlive::own;
  std::size_t connections = 16384;  ///< open at once; past it, 503 and closed
};

}  // namespace precipice::serve
