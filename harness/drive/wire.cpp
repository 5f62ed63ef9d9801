#include "harness/drive/wire.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace precipice {

int Wire::open(const Endpoint& endpoint, const TlsContext* tls) {
  close();
  const int family = endpoint.address.ss_family;
  fd_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return -errno;
  tls_ = tls;
  const int on = 1;
  if (family != AF_UNIX) setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length) == 0) {
    connected_ = true;
    return handshake();
  }
  wants_write_ = true;
  // A unix socket whose backlog is full answers EAGAIN, and is not being connected then.
  if (errno == EAGAIN) return -ECONNREFUSED;
  return errno == EINPROGRESS ? -EAGAIN : -errno;
}

int Wire::proceed() {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -errno;
    if (error != 0) return -error;
    connected_ = true;
  }
  return handshake();
}

int Wire::handshake() {
  wants_write_ = false;
  if (tls_ == nullptr) return 0;
  if (!session_) session_.emplace(*tls_, fd_);
  const int result = session_->handshake();
  wants_write_ = session_->wants_write();
  return result;
}

ssize_t Wire::send(const char* bytes, std::size_t size) {
  if (session_) {
    const ssize_t sent = session_->send(bytes, size);
    wants_write_ = session_->wants_write();
    return sent;
  }
  const ssize_t sent = ::send(fd_, bytes, size, MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  wants_write_ = true;
  return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

ssize_t Wire::receive(char* into, std::size_t size) {
  if (session_) {
    const ssize_t received = session_->receive(into, size);
    wants_write_ = session_->wants_write();
    return received;
  }
  wants_write_ = false;
  const ssize_t received = recv(fd_, into, size, 0);
  return received >= 0 ? received : errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

void Wire::close() {
  session_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  connected_ = wants_write_ = false;
}

}  // namespace precipice
