// [[policy]], [[model]] and [[workload]] of a suite: every list of values expanded to one series
// each.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/store/toml_section.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {

/// [[class]]: kinds of requests, the most important first.
void read_classes(const Place& place, const toml::table& root, Plan& plan);
/// [[policy]]: the chains by name.
void read_policies(const Place& place, const toml::table& root, Plan& plan);
/// Throws UsageError where a series has a policy and its workload no stated SLO, or one that the
/// policy contradicts.
void check_policies_of_series(const Place& place, const Plan& plan);

/// Appends the series of each [[`section`]] to `into`; `check` throws UsageError on one that does
/// not exist. A model is one series for each of the `policies` that it names. With `of_workloads`
/// the keys `slo` and `models` of a workload are read into it.
void read_series(const Place& place, const toml::table& root, std::string_view section,
                 const std::function<void(const Spec&)>& check, std::vector<Spec>& into,
                 const std::map<std::string, std::vector<Spec>>& policies,
                 Plan* of_workloads = nullptr);

}  // namespace precipice
