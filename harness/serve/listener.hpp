// A listening TCP socket.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace precipice::serve {

/// `127.0.0.1:8080`, `:8080` (loopback) or `8080`; port 0 is any free one. Throws UsageError.
sockaddr_in parse_address(std::string_view text);
/// As in 127.0.0.1:8080.
std::string to_string(const sockaddr_in& address);

/// Owns its descriptor, which is non-blocking. Movable.
class Listener {
 public:
  /// Listens; `shared`: others may listen there too, if they are as well (SO_REUSEPORT). Throws
  /// Unavailable, with what to do about it.
  explicit Listener(const sockaddr_in& address, bool shared = false);
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener() { close(); }

  int fd() const { return fd_; }
  /// With the port that was chosen.
  sockaddr_in address() const;
  void close() noexcept;
  /// The descriptor, which is the caller's from now on.
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace precipice::serve
