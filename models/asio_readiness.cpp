// Operations that wait for a descriptor to be ready: accept, connect, and readiness itself.
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cerrno>

#include "models/asio_receive.hpp"

namespace precipice {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

void set_no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

struct AsioOperations::ReadyEnded {
  using allocator_type = FrameAllocator<std::byte>;
  allocator_type get_allocator() const noexcept { return {}; }
  AsioOperations* self;
  IoOp* op;
  void operator()(const error_code& error) const {
    self->ready(*op, error == asio::error::operation_aborted);
  }
};

Start AsioOperations::start_accept(IoOp& op) {
  const auto lock = guard();
  if (cancelled_) return done(op, -ECANCELED);
  int error = 0;
  Socket* listener = socket_for(op.arguments.fd, error);  // makes it non-blocking too
  if (listener == nullptr) return done(op, -error);
  const int accepted = ::accept4(op.arguments.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) {
    set_no_delay(accepted);
    return done(op, accepted);
  }
  if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return done(op, -errno);
  link(op);
  try {
    wait_until_ready(op, *listener);
  } catch (...) {
    unlink(op);
    throw;
  }
  return Start::queued;
}

Start AsioOperations::start_connect(IoOp& op) {
  const auto lock = guard();
  if (cancelled_) return done(op, -ECANCELED);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return done(op, -errno);
  set_no_delay(descriptor);
  const sockaddr_in peer = *op.arguments.peer;
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) {
    return done(op, descriptor);
  }
  if (errno != EINPROGRESS) {
    const int error = errno;
    ::close(descriptor);
    return done(op, -error);
  }
  op.arguments.fd = descriptor;
  int error = 0;
  try {
    Socket* socket = socket_for(descriptor, error);
    if (socket == nullptr) {
      ::close(descriptor);
      return done(op, -error);
    }
    link(op);
    wait_until_ready(op, *socket);
  } catch (...) {
    const auto index = static_cast<std::size_t>(descriptor);
    if (index < sockets_.size() && sockets_[index]) {
      unlink(op);
      sockets_[index].reset();  // closes it
    } else {
      ::close(descriptor);
    }
    throw;
  }
  return Start::queued;
}

Start AsioOperations::start_readiness(IoOp& op) {
  const auto lock = guard();
  if (cancelled_) return done(op, -ECANCELED);
  int error = 0;
  Socket* socket = socket_for(op.arguments.fd, error);
  if (socket == nullptr) return done(op, -error);
  link(op);
  try {
    wait_until_ready(op, *socket);
  } catch (...) {
    unlink(op);
    throw;
  }
  return Start::queued;
}

void AsioOperations::wait_until_ready(IoOp& op, Socket& socket) {
  const bool reads = op.kind == IoOp::Kind::accept || op.kind == IoOp::Kind::readable;
  const auto what = reads ? asio::socket_base::wait_read : asio::socket_base::wait_write;
  socket.async_wait(what, ReadyEnded{this, &op});
}

void AsioOperations::ready(IoOp& op, bool aborted) {
  std::int64_t result = -ECANCELED;
  if (op.kind == IoOp::Kind::readable || op.kind == IoOp::Kind::writable) {
    if (!aborted) result = 0;
  } else if (op.kind == IoOp::Kind::accept) {
    const auto lock = guard();
    if (!aborted && !cancelled_) {
      result = ::accept4(op.arguments.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (result >= 0) {
        set_no_delay(static_cast<int>(result));
      } else if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
        // Another waiter took the connection, or its peer has gone: wait for the next one.
        try {
          wait_until_ready(op, *sockets_[static_cast<std::size_t>(op.arguments.fd)]);
          return;
        } catch (const std::exception&) {
          result = -ENOMEM;
        }
      } else {
        result = -errno;
      }
    }
  } else {
    const int descriptor = op.arguments.fd;
    if (!aborted) {
      int error = 0;
      socklen_t size = sizeof error;
      if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
      result = error == 0 ? descriptor : -error;
    }
    {
      const auto lock = guard();
      unlink(op);  // before its socket goes, which cancel_all would reach for
    }
    if (result < 0) close(descriptor);
    completed_(context_, op, result);
    return;
  }
  end(op, result);
}

}  // namespace precipice
