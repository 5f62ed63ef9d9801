// A connection of the client and the request that is on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/drive/wire.hpp"
#include "harness/http/response_parser.hpp"

namespace precipice {

struct ClientConnection {
  enum class State : std::uint8_t { down, connecting, made };

  std::uint32_t index = 0;
  State state = State::down;
  bool has_request = false;
  bool free = false;                     ///< for a request
  bool watched = false, writes = false;  ///< by the poll; for writing too
  std::size_t id = 0;                    ///< of the request
  std::uint32_t requests = 0;            ///< that this connection has had, the last included
  std::int64_t since_ns = 0;             ///< when the connecting began
  std::string unsent;                    ///< of a request that the socket did not take whole
  std::size_t unsent_from = 0;           ///< what the socket has taken of that since
  Wire wire;
  ResponseParser parser;
};

}  // namespace precipice
