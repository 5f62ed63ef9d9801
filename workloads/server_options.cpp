#include "workloads/server_options.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "models/random.hpp"
#include "workloads/connections.hpp"
#include "workloads/draws.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kMostKeys = 10'000'000;
constexpr std::uint64_t kLargestValue = 1 << 20;
/// Descriptors left for everything else: rings, timers, the journal.
constexpr std::size_t kOtherDescriptors = 64;
constexpr std::uint64_t kMixSalt = 0x6d69786564;

}  // namespace

Operations::Operations(const Options& options, std::string_view reads, std::string_view writes) {
  const std::string chosen = options.choice("op", {reads, writes, "mixed"});
  mix_ = chosen == reads ? Mix::reads : chosen == writes ? Mix::writes : Mix::mixed;
}

Operation Operations::of(std::uint64_t seed) const {
  if (mix_ == Mix::reads) return Operation::read;
  if (mix_ == Mix::writes) return Operation::write;
  return (mix64(seed ^ kMixSalt) & 1) == 0 ? Operation::read : Operation::write;
}

SeedKeys::SeedKeys(const Options& options, std::uint64_t salt)
    : count_(options.count("keys", 1, kMostKeys)) {
  keys_.reserve(kTabulatedSeeds);
  for (const std::uint32_t rank : shuffled_ranks(salt))
    keys_.push_back(rank * count_ / kTabulatedSeeds);
}

std::size_t value_bytes_option(const Options& options, std::string_view component) {
  const std::uint64_t bytes = options.bytes("bytes");
  if (bytes < 1 || bytes > kLargestValue) {
    throw UsageError(
        fmt::format("{}: bytes={} is not a size from 1 to 1MiB", component, options.text("bytes")));
  }
  return bytes;
}

std::optional<sockaddr_in> server_option(const Options& options, std::string_view component) {
  const std::string& text = options.text("server");
  if (text.empty()) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const bool parsed = colon != std::string::npos &&
                      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) == 1 &&
                      std::from_chars(text.data() + colon + 1, end, port).ptr == end && port >= 1 &&
                      port <= 65535;
  if (!parsed) {
    throw UsageError(
        fmt::format("{}: server={} is not ADDRESS:PORT with an IPv4 address, as in "
                    "127.0.0.1:6379",
                    component, text));
  }
  if (ntohl(address.sin_addr.s_addr) >> 24 != 127) {
    throw UsageError(fmt::format(
        "{}: server={} is not on this machine's loopback (127.0.0.0/8), and load is offered to no "
        "other machine",
        component, text));
  }
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

std::size_t connections_per_executor(std::string_view component, std::uint64_t asked,
                                     unsigned executors) {
  const std::size_t count = std::max(1U, executors);
  const std::size_t each = std::max<std::size_t>(1, (asked + count - 1) / count);
  const std::size_t descriptors = raise_descriptor_limit();
  // Some libraries hold two to a connection.
  if (2 * each * count + kOtherDescriptors > descriptors) {
    throw Unavailable(fmt::format(
        "{}: {} connections are asked for and descriptors for {} are left; raise the limit on open "
        "files (ulimit -Hn), or ask for fewer ({}:connections=N)",
        component, each * count,
        descriptors > kOtherDescriptors ? (descriptors - kOtherDescriptors) / 2 : 0, component));
  }
  return each;
}

std::string text_of(const sockaddr_in& address) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return fmt::format("{}:{}", text, ntohs(address.sin_port));
}

void write_value(std::uint64_t key, char* value, std::size_t bytes) {
  std::uint64_t state = mix64(key ^ 0x76616c7565);
  for (std::size_t at = 0; at < bytes; at += sizeof state) {
    state = mix64(state + at);
    // A nibble in each byte, from 'a' on.
    const std::uint64_t letters = (state & 0x0f0f0f0f0f0f0f0fULL) + 0x6161616161616161ULL;
    std::memcpy(value + at, &letters, std::min(sizeof letters, bytes - at));
  }
}

}  // namespace precipice
