// Whether a trial fits into what memory is left, asked before it begins.
#pragma once

#include <cstdint>
#include <string>

#include "harness/trial/trial.hpp"
#include "models/memory_limits.hpp"

namespace precipice {

/// Bytes that a trial of so many requests may take: what is kept of each of them, its place in a
/// model's queue, and what the model holds for those that are under way at once. These are as many
/// as the closed loop has, or by Little's law rate x `service`, the mean time of an unloaded
/// request; a model whose threads wait has its threads besides. An estimate that a trial does not
/// exceed while the model keeps up.
std::uint64_t memory_need(const TrialRequest& request, std::uint64_t requests, Nanos service);

/// With overcommit an allocation does not fail, it gets the process killed when it is used: so this
/// asks first. Throws Unavailable when `bytes` are more than four fifths of the least room that the
/// machine, a control group or a limit of the process leaves; `what` is what needs them, as in
/// "5000000 requests in one trial", and `cure` what would help besides a higher limit.
void require_memory(std::uint64_t bytes, const std::string& what, const std::string& cure,
                    const MemoryLimitSources& sources = MemoryLimitSources::here());

}  // namespace precipice
