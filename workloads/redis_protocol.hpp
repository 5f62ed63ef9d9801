// The part of RESP2, Redis's wire protocol, that GET and SET need
// (https://redis.io/docs/reference/protocol-spec).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace precipice {

/// A whole command.
std::string redis_command(std::initializer_list<std::string_view> words);

/// A SET up to its value of `value_bytes`, which follows, and then "\r\n".
std::string redis_set_head(std::string_view key, std::size_t value_bytes);

/// The first reply of what was received.
struct RedisReply {
  enum class Kind : std::uint8_t {
    incomplete,  ///< more has to be received
    status,      ///< `+OK`
    value,       ///< a bulk string
    none,        ///< the null bulk string: there is no such key
    error,       ///< `-ERR ...`
    malformed,   ///< nothing that GET or SET is answered with
  };
  Kind kind = Kind::incomplete;
  std::span<const std::byte> content{};  ///< of a status, a value or an error, inside `received`
  std::size_t bytes = 0;                 ///< of the whole reply, unless incomplete or malformed
};

/// Never reads past `received`, whatever that holds.
RedisReply parse_redis_reply(std::span<const std::byte> received);

}  // namespace precipice
