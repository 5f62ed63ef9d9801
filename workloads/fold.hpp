// Turns bytes into a digest fast enough to disappear beside reading them: four independent lanes
// hide the latency of the multiplication (about 6 bytes a cycle).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>

#include "models/random.hpp"

namespace precipice {

namespace detail {

/// Four lanes, each fed every fourth word. Plain members, so that they stay in registers.
struct Lanes {
  static constexpr std::uint64_t kOdd = 0x9fb21c651e98df25ULL;
  static constexpr std::size_t kStripe = 4 * sizeof(std::uint64_t);
  std::uint64_t a, b, c, d;

  explicit constexpr Lanes(std::uint64_t salt)
      : a(salt), b(salt + kOdd), c(salt ^ kOdd), d(~salt) {}

  static constexpr std::uint64_t step(std::uint64_t lane, std::uint64_t word) {
    return std::rotl((lane ^ word) * kOdd, 29);
  }
  void absorb(const std::byte* stripe) {
    std::uint64_t words[4];
    std::memcpy(words, stripe, kStripe);
    a = step(a, words[0]);
    b = step(b, words[1]);
    c = step(c, words[2]);
    d = step(d, words[3]);
  }
};

}  // namespace detail

/// A digest of `bytes` and `salt`. Every step can be inverted in each of its inputs, so one changed
/// byte always changes the digest; so does a changed length. Not cryptographic.
inline std::uint64_t fold(std::span<const std::byte> bytes, std::uint64_t salt) {
  detail::Lanes lanes(salt);
  constexpr std::size_t kStripe = detail::Lanes::kStripe;
  const std::size_t whole = bytes.size() / kStripe * kStripe;
  for (std::size_t at = 0; at < whole; at += kStripe) lanes.absorb(bytes.data() + at);
  if (whole < bytes.size()) {
    std::byte last[kStripe] = {};
    std::memcpy(last, bytes.data() + whole, bytes.size() - whole);
    lanes.absorb(last);
  }
  std::uint64_t digest = mix64(bytes.size());
  for (const std::uint64_t lane : {lanes.a, lanes.b, lanes.c, lanes.d}) {
    digest = mix64(digest ^ lane);
  }
  return digest;
}

/// Two digests into one; order matters.
constexpr std::uint64_t fold(std::uint64_t first, std::uint64_t second) {
  return mix64(mix64(first) ^ second);
}

}  // namespace precipice
