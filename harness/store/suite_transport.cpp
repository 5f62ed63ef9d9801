#include "harness/store/suite_transport.hpp"

#include <fmt/format.h>

#include <set>

#include "harness/trial/spec.hpp"
#include "harness/trial/transport.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

/// A transport as it is written behind a series; "" for none.
std::string transport_of(const Place& place, std::string_view path, const toml::node& node) {
  const std::string text = scalar_text(place, path, node);
  if (text == "none") return "";
  return place.at(node.source(), path, [&] {
    parse_transport(text);
    std::string written = parse_spec(text, "transport").to_string();
    if (written.find('|') != std::string::npos)
      throw UsageError("a transport has no '|'; write the policy under `policy`");
    return written;
  });
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
    const std::string transport = transport_of(place, kPath, *each);
    for (const std::string& policy : policies) series.push_back(with_transport(policy, transport));
  }
  if (series.empty()) throw place.error(node->source(), kPath, "is an empty list: no series");
  return series;
}

void read_load_transport(const Place& place, const toml::table& root, Plan& plan) {
  constexpr std::string_view kPath = "load.transport";
  const toml::table* load = table_of(place, root, "load");
  const toml::node* node = load == nullptr ? nullptr : load->get("transport");
  if (node == nullptr) return;
  const std::string transport = transport_of(place, kPath, *node);
  for (Spec& model : plan.models) {
    if (!over_http(model)) model.policy = with_transport(model.policy, transport);
  }
}

void check_transports(const Place& place, const Plan& plan) {
  for (const auto& [name, chain] : plan.policies) {
    if (parse_spec(name, "policy").name != kOverHttp) continue;
    throw place.error(
        "policy.name: 'http' is what series served over http are called; choose another");
  }
  std::set<std::string> seen;
  for (const Spec& model : plan.models) {
    if (!seen.insert(model.to_string()).second)
      throw place.error(fmt::format("model: '{}' is there twice", model.to_string()));
    if (!over_http(model)) continue;
    if (plan.target_of(model) != nullptr) {
      throw place.error(fmt::format(
          "transport: '{}' is a [[target]], which is asked over HTTP anyway: say what its client "
          "does there (requests_per_connection, slow_clients)",
          model.name));
    }
    if (model_named(model.name).control || plan.clock == ClockKind::virtual_time) {
      throw place.error(
          fmt::format("transport: '{}' has no sockets; only models that execute "
                      "requests on the real clock are served",
                      model.name));
    }
  }
}

}  // namespace precipice
