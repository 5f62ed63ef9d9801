// How the requests of a series reach its model.
#pragma once

#include <string>
#include <string_view>

#include "harness/trial/trial.hpp"

namespace precipice {

/// Of a series whose requests come over HTTP, behind the name of its policy, if it has one:
/// `event_loop|http`, `event_loop|limited|http:slow_clients=100`. The model, and its policies, then
/// run in a server of their own (precipice serve), on the model's CPUs, and the client on the
/// generator's. Without it, requests are handed over in the process.
inline constexpr std::string_view kOverHttp = "http";

/// What the client of such a series does besides sending requests.
struct Transport {
  std::uint32_t requests_per_connection = 0;  ///< as of Target
  SlowClients slow;
};

/// `http`, or `http:requests_per_connection=1,slow_clients=100,slow=header,slow_interval=1s`.
/// Throws UsageError that says what is wrong.
Transport parse_transport(std::string_view text);

/// What a series has behind its last `|`, if that is a transport; else "".
std::string_view transport_text(const Spec& model);
inline bool over_http(const Spec& model) { return !transport_text(model).empty(); }
/// The name of its policy, which transports are no part of; "" without one.
std::string policy_name(const Spec& model);
/// As Spec::policy: a policy's name ("": none) and a transport ("": none).
std::string with_transport(const std::string& policy, std::string_view transport);

}  // namespace precipice
