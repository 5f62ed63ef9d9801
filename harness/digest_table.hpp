// The digests that every model must reproduce: each seed of a workload, run once by blocking calls.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/workload.hpp"

namespace precipice {

/// Runs the request of every seed below kTabulatedSeeds on the calling thread. The workload has
/// been prepared with `tabulating`. Throws Unavailable when a request fails.
std::vector<std::uint64_t> tabulate_digests(Workload& workload);

}  // namespace precipice
