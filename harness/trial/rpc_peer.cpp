#include "harness/trial/rpc_peer.hpp"

#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace precipice {

RpcPeer::Received RpcPeer::receive() {
  const std::span<std::byte> room = std::span(input).subspan(received);
  const ssize_t got = recv(fd, room.data(), room.size(), 0);
  if (got < 0) return errno == EAGAIN ? Received::partial : Received::end;
  if (got == 0 || state != State::reading) return Received::end;
  // Less than there was room for: the socket is empty, and more will raise another edge.
  received += static_cast<std::size_t>(got);
  if (received < sizeof(RpcRequest)) return Received::partial;
  if (received > sizeof(RpcRequest)) return Received::end;
  std::memcpy(&request, input.data(), sizeof(RpcRequest));
  if (request.magic != RpcRequest::kMagic || request.reply_bytes < kSmallestReply ||
      request.reply_bytes > kLargestReply || request.delay_ns > kLongestDelayNs) {
    return Received::end;
  }
  received = 0;
  sent = 0;
  blocked = lag_recorded = false;
  state = State::waiting;
  return Received::request;
}

RpcPeer::Sent RpcPeer::send_piece(std::span<std::byte> chunk) {
  state = State::sending;
  const std::size_t bytes = std::min(kChunk, request.reply_bytes - sent);
  const std::span<std::byte> piece = chunk.first(bytes);
  fill_reply(request.seed, sent, piece);
  const ssize_t count = send(fd, piece.data(), piece.size(), MSG_NOSIGNAL);
  if (count < 0) {
    if (errno == EINTR) return Sent::part;
    blocked = errno == EAGAIN;
    return blocked ? Sent::blocked : Sent::end;
  }
  sent += static_cast<std::size_t>(count);
  if (sent < request.reply_bytes) return Sent::part;
  state = State::reading;
  return Sent::whole;
}

}  // namespace precipice
