// `transport` of a suite: which series are served over HTTP.
#pragma once

#include <string>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/store/toml_section.hpp"

namespace precipice {

/// Of a model's table: what its series are called besides (Spec::policy), for
/// `transport = ["none", "http", "http:slow_clients=100"]`, each with each of `policies`, the names
/// that it has without. Throws UsageError that names file, line and key.
std::vector<std::string> with_transports(const Place& place, const toml::table& table,
                                         const std::vector<std::string>& policies);

/// `transport = "http"` of [load]: all models are served that state no such transport of their own.
void read_load_transport(const Place& place, const toml::table& root, Plan& plan);

/// What cannot be served: the oracle, and anything on the virtual clock.
void check_transports(const Place& place, const Plan& plan);

}  // namespace precipice
