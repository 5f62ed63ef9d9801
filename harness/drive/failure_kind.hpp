// How a request over sockets can fail. Each kind is counted apart, and none enters a latency.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string_view>

#include "models/request.hpp"

namespace precipice {

enum class FailureKind : std::uint8_t {
  connect,       ///< no connection could be made for it
  tls,           ///< the TLS handshake or a record of it failed
  timeout,       ///< not answered in time
  reset,         ///< the connection was reset while it was on its way
  closed,        ///< the connection was closed before its response ended
  protocol,      ///< what was answered is no HTTP/1.1 response: see ResponseParser
  wrong_answer,  ///< a body other than the expected one
  status_3xx,    ///< redirections are not followed
  status_4xx,
  status_5xx,
};
inline constexpr int kFailureKinds = 10;

constexpr std::string_view to_string(FailureKind kind) {
  constexpr std::string_view names[] = {"connect",    "tls",       "timeout",      "reset",
                                        "closed",     "protocol",  "wrong_answer", "status_3xx",
                                        "status_4xx", "status_5xx"};
  return names[static_cast<int>(kind)];
}

/// As it stands in a slot: an errno that is near it, and the kind where a success has its digest.
/// `error`: the errno of a system call, if one failed.
constexpr Outcome failure(FailureKind kind, int error = 0) {
  constexpr int usual[] = {ECONNREFUSED, EPROTO,  ETIMEDOUT, ECONNRESET, ECONNABORTED,
                           EPROTO,       EBADMSG, EREMOTEIO, EREMOTEIO,  EREMOTEIO};
  return {static_cast<std::uint64_t>(kind), error > 0 ? error : usual[static_cast<int>(kind)]};
}

}  // namespace precipice
