// What a server is started with.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <string>

#include "harness/serve/connection_table.hpp"
#include "harness/serve/session.hpp"
#include "harness/trial/trial.hpp"
#include "models/cpu_set.hpp"

namespace precipice::serve {

struct ServeSettings {
  Spec model;
  Spec workload;         ///< of /work
  sockaddr_in listen{};  ///< port 0: any free one
  CpuSet cpus;           ///< the model's; not empty
  SessionLimits limits;
  Timeouts timeouts;
  std::size_t connections = 16384;  ///< open at once; past it, 503 and closed
};

}  // namespace precipice::serve
