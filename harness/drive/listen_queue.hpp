// Connections that a full accept queue has turned away, on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace precipice {

/// ListenDrops, which has the ListenOverflows in it, of the text of /proc/net/netstat; nullopt
/// where it has neither.
std::optional<std::uint64_t> parse_listen_overflows(std::string_view netstat);
/// Of this network namespace since it began. A client whose SYN was dropped tries again after a
/// second (RFC 6298), which no server caused.
std::optional<std::uint64_t> read_listen_overflows(const std::string& path = "/proc/net/netstat");

}  // namespace precipice
