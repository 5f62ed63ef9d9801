#include "harness/serve/listener.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "models/options.hpp"
#include "models/unavailable.hpp"

namespace precipice::serve {
namespace {

// The kernel cuts it down to net.core.somaxconn.
constexpr int kBacklog = 65535;

}  // namespace

sockaddr_in parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string host(colon == text.npos ? std::string_view() : text.substr(0, colon));
  const std::string_view port = colon == text.npos ? text : text.substr(colon + 1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool usable =
      error == std::errc{} && end == port.data() + port.size() &&
      ::inet_pton(AF_INET, host.empty() ? "127.0.0.1" : host.c_str(), &address.sin_addr) == 1;
  if (!usable) {
    throw UsageError(fmt::format(
        "--listen '{}' is no address: give an IPv4 address and a port, as in 127.0.0.1:8080 (port "
        "0: any free one)",
        text));
  }
  address.sin_port = htons(number);
  return address;
}

std::string to_string(const sockaddr_in& address) {
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return fmt::format("{}:{}", text, ntohs(address.sin_port));
}

Listener::Listener(const sockaddr_in& address, bool shared) {
  const auto fail = [&](int error) {
    const std::string_view remedy = error == EADDRINUSE ? "; another program listens there: choose "
                                                          "another port, or 0 for any"
                                    : error == EACCES   ? "; ports below 1024 are for root"
                                    : error == EADDRNOTAVAIL
                                        ? "; no interface of this machine has that address"
                                        : "";
    close();
    throw Unavailable(
        fmt::format("cannot listen on {}: {}{}", to_string(address), std::strerror(error), remedy));
  };
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail(errno);
  const int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared && ::setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) fail(errno);
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(errno);
  if (::listen(fd_, kBacklog) != 0) fail(errno);
}

Listener::Listener(Listener&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

sockaddr_in Listener::address() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}

void Listener::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace precipice::serve
