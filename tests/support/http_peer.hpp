// A client on a plain socket, for tests of servers: it sends the bytes that it is told to.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

namespace precipice::testing {

class HttpPeer {
 public:
  explicit HttpPeer(const sockaddr_in& server) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&server), sizeof server), 0);
  }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;
  ~HttpPeer() { close(); }

  /// False: the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Until what was received ends so, or the server has closed. A test that waits for more than a
  /// minute has failed.
  std::string receive_until(std::string_view ending) {
    std::string text;
    while (!text.ends_with(ending) || ending.empty()) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 60'000) <= 0) {
        ADD_FAILURE() << "nothing came within a minute after: " << text;
        return text;
      }
      char piece[16384];
      const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
      if (got <= 0) return text;
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }
  std::string receive_all() { return receive_until(""); }
  /// No more will be sent.
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  /// With a reset instead of a regular end.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace precipice::testing
