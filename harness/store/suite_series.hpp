// [[model]] and [[workload]] of a suite: every list of values expanded to one series each.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/store/toml_section.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {

/// Appends the series of each [[`section`]] to `into`; `check` throws UsageError on one that does
/// not exist. With `of_workloads` the keys `slo` and `models` of a workload are read into it.
void read_series(const Place& place, const toml::table& root, std::string_view section,
                 const std::function<void(const Spec&)>& check, std::vector<Spec>& into,
                 Plan* of_workloads = nullptr);

}  // namespace precipice
