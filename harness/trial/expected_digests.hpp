// The digests that every model must reproduce: each seed of a workload, run once by blocking calls.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "workloads/workload.hpp"

namespace precipice {

/// Runs the request of every seed below kTabulatedSeeds on the calling thread. The workload has
/// been prepared with `tabulating`. Throws Unavailable when a request fails. `may_give_up`, if
/// given, is called before each; what it throws passes on.
std::vector<std::uint64_t> tabulate_digests(Workload& workload,
                                            const std::function<void()>& may_give_up = nullptr);

}  // namespace precipice
