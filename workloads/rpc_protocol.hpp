// What the `rpc` workload and its backend say to each other. Loopback only, so in the byte order of
// the machine. One request at a time per connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "models/random.hpp"

namespace precipice {

struct RpcRequest {
  static constexpr std::uint32_t kMagic = 0x50524331;

  std::uint32_t magic = kMagic;
  std::uint32_t reply_bytes = 0;  ///< kSmallestReply .. kLargestReply
  std::uint64_t id = 0;           ///< of the request within its trial, for whoever reads a capture
  std::uint64_t seed = 0;         ///< decides the content of the reply
  std::uint64_t delay_ns = 0;     ///< between the request's arrival and its reply; <= kLongestDelay
};
static_assert(sizeof(RpcRequest) == 32);

inline constexpr std::uint32_t kSmallestReply = 64;
inline constexpr std::uint32_t kLargestReply = 1 << 20;
inline constexpr std::uint64_t kLongestDelayNs = 3'600'000'000'000;

/// Bytes `offset` and onwards of the reply to `seed`: a function of the two, whatever the pieces in
/// which it is asked for.
inline void fill_reply(std::uint64_t seed, std::uint64_t offset, std::span<std::byte> bytes) {
  const std::uint64_t base = mix64(~seed);
  std::size_t skip = offset % sizeof(std::uint64_t);
  std::uint64_t index = offset / sizeof(std::uint64_t);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::uint64_t word = mix64(base + index++);
    const std::size_t part = std::min(sizeof word - skip, bytes.size() - at);
    std::memcpy(bytes.data() + at, reinterpret_cast<const std::byte*>(&word) + skip, part);
    at += part;
    skip = 0;
  }
}

}  // namespace precipice
