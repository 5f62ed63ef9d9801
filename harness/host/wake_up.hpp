// How late this machine ends a sleep: the floor under every wait that is timed by the clock.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/json.hpp"
#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

/// Lateness in ns of up to `sleeps` sleeps to an absolute time `length` ahead, by a thread of its
/// own without timer slack on `cpus` (where it may run, if empty). Begins no further sleep after
/// `most`.
std::vector<std::int64_t> measure_wake_ups(const CpuSet& cpus, int sleeps = 300,
                                           Nanos length = std::chrono::microseconds(200),
                                           Nanos most = std::chrono::milliseconds(400));

/// {"sleeps","length_ns","p50","p90","p99","max"} in ns, nearest rank; percentiles null without
/// samples.
Json wake_ups_json(std::vector<std::int64_t> late_ns, Nanos length);

}  // namespace precipice
