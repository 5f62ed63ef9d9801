// One client of the rpc backend, and what is read from it and sent to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "workloads/rpc_protocol.hpp"

namespace precipice {

/// Reads a request, waits until it is due, sends the reply, reads the next. Used by one thread.
struct RpcPeer {
  enum class State : std::uint8_t { reading, waiting, sending };
  enum class Received : std::uint8_t {
    partial,  ///< or nothing yet
    request,  ///< whole: the peer waits now
    end,      ///< the client has left or does not keep to the protocol
  };
  enum class Sent : std::uint8_t {
    whole,    ///< the peer reads the next request
    part,     ///< a piece; there is more
    blocked,  ///< the socket takes no more for now
    end,      ///< the client has left
  };
  /// Content of a reply that is made and sent at a time.
  static constexpr std::size_t kChunk = 64 << 10;

  Received receive();
  /// The next piece of the reply, made in `chunk` of kChunk bytes: large replies to thousands of
  /// slow readers take no memory, and none keeps another that is due waiting for long.
  Sent send_piece(std::span<std::byte> chunk);

  int fd = -1;  ///< -1: a free entry
  State state = State::reading;
  std::uint32_t generation = 0;  ///< tells a timer of an earlier client from one of this
  /// One byte more than a request, to see whether another follows before its time.
  std::array<std::byte, sizeof(RpcRequest) + 1> input{};
  std::size_t received = 0;
  RpcRequest request;
  std::size_t sent = 0;
  std::int64_t late_ns = 0;   ///< how long the request may have waited to be read
  bool blocked = false;       ///< sending, and no timer is set until the socket takes more
  bool lag_recorded = false;  ///< of this reply
};

}  // namespace precipice
