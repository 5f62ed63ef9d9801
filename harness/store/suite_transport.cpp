#include "harness/store/suite_transport.hpp"

#include <fmt/format.h>

#include <set>

#include "harness/trial/transport.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

/// Whether a text says http.
bool says_http(const Place& place, std::string_view path, const toml::node& node) {
  const std::string text = scalar_text(place, path, node);
  if (text != "none" && text != kOverHttp) {
    throw place.error(
        node.source(), path,
        fmt::format("'{}' is no transport: none (handed over in the process) or http", text));
  }
  return text == kOverHttp;
}

}  // namespace

std::vector<std::string> with_transports(const Place& place, const toml::table& table,
                                         const std::vector<std::string>& policies) {
  constexpr std::string_view kPath = "model.transport";
  const toml::node* node = table.get("transport");
  if (node == nullptr) return policies;
  std::vector<const toml::node*> listed;
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& each : *list) listed.push_back(&each);
  } else {
    listed.push_back(node);
  }
  std::vector<std::string> series;
  for (const toml::node* each : listed) {
    if (!says_http(place, kPath, *each)) {
      series.insert(series.end(), policies.begin(), policies.end());
      continue;
    }
    for (const std::string& policy : policies) {
      if (!policy.empty()) {
        throw place.error(node->source(), kPath,
                          fmt::format("a series is served over http or has a policy ('{}'), not "
                                      "both; give the policy to a [[model]] of its own",
                                      policy));
      }
      series.emplace_back(kOverHttp);
    }
  }
  if (series.empty()) throw place.error(node->source(), kPath, "is an empty list: no series");
  return series;
}

void read_load_transport(const Place& place, const toml::table& root, Plan& plan) {
  constexpr std::string_view kPath = "load.transport";
  const toml::table* load = table_of(place, root, "load");
  const toml::node* node = load == nullptr ? nullptr : load->get("transport");
  if (node == nullptr || !says_http(place, kPath, *node)) return;
  for (Spec& model : plan.models) {
    if (model.policy.empty()) model.policy = kOverHttp;
    if (!over_http(model)) {
      throw place.error(node->source(), kPath,
                        fmt::format("'{}' has a policy; a series is served over http or has a "
                                    "policy, not both",
                                    model.to_string()));
    }
  }
}

void check_transports(const Place& place, const Plan& plan) {
  if (plan.policies.contains(std::string(kOverHttp)))
    throw place.error(
        "policy.name: 'http' is what series served over http are called; choose another");
  std::set<std::string> seen;
  for (const Spec& model : plan.models) {
    if (!seen.insert(model.to_string()).second)
      throw place.error(fmt::format("model: '{}' is there twice", model.to_string()));
    if (!over_http(model)) continue;
    if (model_named(model.name).control || plan.clock == ClockKind::virtual_time) {
      throw place.error(
          fmt::format("transport: '{}' has no sockets; only models that execute "
                      "requests on the real clock are served",
                      model.name));
    }
  }
}

}  // namespace precipice
