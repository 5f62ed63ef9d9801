// The target of a request (RFC 9112, section 3.2) and the authority of a Host field.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "harness/http/request_head.hpp"

namespace precipice::http {

/// Whether its form goes with the method: /path, http://host/path, * (OPTIONS) or host:port
/// (CONNECT). Its bytes are visible ASCII.
bool target_fits(std::string_view target, Method method);

/// `host`, `host:port`, `[v6]:port`, or empty.
bool is_host(std::string_view value);

struct TargetParts {
  std::string_view path;   ///< begins with '/', or is '*' or an authority
  std::string_view query;  ///< what follows '?', or empty
};
/// Of a target that fits; a fragment is left out.
TargetParts split_target(std::string_view target);

/// The value of a parameter `name=VALUE` of a query, the first; nullopt: there is none.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);

/// A decimal number below `end`, which is at most 10^18; nullopt for anything else.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t end);

}  // namespace precipice::http
