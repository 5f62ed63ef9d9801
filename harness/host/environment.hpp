// What the machine is and how it is set, as far as it can change a number, and what built this
// program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/json.hpp"
#include "models/cpu_set.hpp"

namespace precipice {

struct EnvironmentOptions {
  /// Host and user names, paths, addresses and product ids are left out.
  bool anonymous = false;
  /// Where the wake-up error is measured: the generator's CPUs. Empty: where the caller may run.
  CpuSet wake_up_cpus{};
};

/// CPU, kernel, limits, pressure, timer, build, time: one JSON object. What cannot be read is null.
/// Reads /proc and /sys, sleeps for about 0.1 s (at most 0.4 s) to measure how late sleeps end, and
/// changes nothing.
Json environment_json(const EnvironmentOptions& options = {});

/// What changed between two environments of one run, as sentences with their numbers, worst first:
/// throttling, steal, clock source, governor, boost, swap, load, limits, kernel, wake-up error.
/// Empty when nothing did, or when either is null.
std::vector<std::string> differences(const Json& before, const Json& after);

}  // namespace precipice
