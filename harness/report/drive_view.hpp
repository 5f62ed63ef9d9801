// The seconds of a trial over sockets, while it runs: a line for a terminal, a line for a log.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/drive/progress.hpp"
#include "harness/json.hpp"

namespace precipice {

/// {"second", "warmup", "completed", "shed", "failed": by kind, "p50_ns", "p99_ns", "max_ns"}; the
/// latencies are of successes, and null where there was none.
Json second_json(int second, const SecondTally& tally, bool warmup);

/// "12 s of 60  48.2k/s  p50 210us  p99 1.4ms  errors 3", cut to `width`.
std::vector<std::string> drive_view(int second, double length_s, const SecondTally& tally,
                                    std::size_t width);

}  // namespace precipice
