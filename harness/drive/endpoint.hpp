// Where a target's connections go: one address, looked up once.
#pragma once

#include <sys/socket.h>

#include <string>

#include "harness/http/url.hpp"

namespace precipice {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  bool local = false;  ///< a unix socket, or a loopback address
  std::string text;    ///< "127.0.0.1:8080", for messages

  /// The only name lookup of a run: every connection goes to the first address that it answers.
  /// Throws Unavailable where the name has none.
  static Endpoint of(const Url& url);
};

}  // namespace precipice
