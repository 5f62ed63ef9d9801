#include "harness/drive/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>
#include <memory>
#include <string>

#include "models/options.hpp"

namespace precipice {
namespace {

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &address, sizeof in);
  if (IN6_IS_ADDR_LOOPBACK(&in.sin6_addr)) return true;
  return IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && in.sin6_addr.s6_addr[12] == 127;
}

std::string shown(const sockaddr_storage& address, socklen_t length) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host, sizeof host, port,
                  sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "?";
  return address.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port)
                                       : fmt::format("{}:{}", host, port);
}

}  // namespace

Endpoint Endpoint::of(const Url& url) {
  Endpoint endpoint;
  if (!url.socket.empty()) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    url.socket.copy(un.sun_path, sizeof un.sun_path - 1);
    std::memcpy(&endpoint.address, &un, sizeof un);
    endpoint.length = sizeof un;
    endpoint.local = true;
    endpoint.text = "unix:" + url.socket;
    return endpoint;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  if (failed != 0 || found == nullptr) {
    throw Unavailable(
        fmt::format("the name '{}' has no address here: {}", url.host, gai_strerror(failed)));
  }
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.length = found->ai_addrlen;
  endpoint.local = is_loopback(endpoint.address);
  endpoint.text = shown(endpoint.address, endpoint.length);
  return endpoint;
}

}  // namespace precipice
