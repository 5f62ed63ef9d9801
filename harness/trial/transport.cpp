#include "harness/trial/transport.hpp"

#include <fmt/format.h>

#include "harness/trial/spec.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

const std::vector<OptionKey>& keys() {
  static const std::vector<OptionKey> all = {
      {"requests_per_connection", "0", "then it is closed and another made; 0: never"},
      {"slow_clients", "0", "connections beside the measured ones that send next to nothing"},
      {"slow", "header", "what they are slow in: header, body, read or idle"},
      {"slow_interval", "1s", "between two bytes of one of them"}};
  return all;
}

}  // namespace

Transport parse_transport(std::string_view text) {
  const Spec spec = parse_spec(text, "transport");
  if (spec.name != kOverHttp) {
    throw UsageError(
        fmt::format("'{}' is no transport: none (handed over in the process) or http", spec.name));
  }
  const Options options("http", keys(), spec.given);
  Transport transport;
  transport.requests_per_connection = static_cast<std::uint32_t>(
      options.count("requests_per_connection", 0, Target::kMostRequestsPerConnection));
  transport.slow.count =
      static_cast<std::uint32_t>(options.count("slow_clients", 0, SlowClients::kMost));
  transport.slow.kind = parse_slow_kind(options.text("slow"));
  transport.slow.interval = options.duration("slow_interval");
  for (const char* key : {"slow", "slow_interval"}) {
    if (options.given(key) && transport.slow.count == 0)
      throw UsageError(
          fmt::format("http: {} says how slow clients are, and there are none: give "
                      "slow_clients too",
                      key));
  }
  check_slow_clients(transport.slow);
  return transport;
}

std::string_view transport_text(const Spec& model) {
  const std::string_view policy = model.policy;
  const std::size_t bar = policy.rfind('|');
  const std::string_view last = bar == std::string_view::npos ? policy : policy.substr(bar + 1);
  const bool is_transport = last.starts_with(kOverHttp) &&
                            (last.size() == kOverHttp.size() || last[kOverHttp.size()] == ':');
  return is_transport ? last : std::string_view();
}

std::string policy_name(const Spec& model) {
  const std::string_view transport = transport_text(model);
  if (transport.empty()) return model.policy;
  const std::size_t rest = model.policy.size() - transport.size();
  return rest == 0 ? "" : model.policy.substr(0, rest - 1);
}

std::string with_transport(const std::string& policy, std::string_view transport) {
  if (policy.empty() || transport.empty()) return policy + std::string(transport);
  return fmt::format("{}|{}", policy, transport);
}

}  // namespace precipice
