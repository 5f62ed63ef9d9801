// The address of a server and what is asked of it: http://HOST[:PORT][/PATH], https://... or
// unix:/SOCKET[:/PATH].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace precipice {

struct Url {
  bool tls = false;
  std::string host;        ///< a name or an address, without brackets; "" for a unix socket
  std::uint16_t port = 0;  ///< 80 or 443 where none is named; 0 for a unix socket
  std::string socket;      ///< the path of a unix socket, else ""
  std::string target;      ///< path and query as they go into the request line, "/" at the least
  std::string authority;   ///< the Host field (RFC 9112, 3.2): a default port is left out
};

/// What stands in a target for the seed of a request.
inline constexpr std::string_view kSeedPlace = "{seed}";

/// Throws UsageError that names `what`: on another scheme, a user or a fragment (neither is ever
/// sent), a port out of range, and bytes that a request line may not have. `{seed}` may stand in
/// the target. Pure.
Url parse_url(std::string_view text, std::string_view what);

/// Letters, digits, '.', '-' and '_' alone, for names of series: "127.0.0.1_8080".
std::string plain_name(const Url& url);

}  // namespace precipice
