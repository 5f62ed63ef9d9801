// The sockets of AsioOperations, and how it receives from them. For its sources alone.
#pragma once

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "models/asio_operations.hpp"

namespace precipice {

/// As an operation yields it: a count, 0 at the end of a stream, or -errno.
inline std::int64_t result_of_asio(const boost::system::error_code& error, std::size_t bytes) {
  if (!error) return static_cast<std::int64_t>(bytes);
  if (error == boost::asio::error::eof) return 0;
  return -error.value();  // operation_aborted is ECANCELED
}

/// A socket as Asio keeps it, with its entry in the reactor, which operations of our own need too.
class AsioOperations::Socket final
    : public boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                              boost::asio::io_context::executor_type> {
 public:
  using basic_stream_socket::basic_stream_socket;

  boost::asio::detail::epoll_reactor::per_descriptor_data& entry() {
    return impl_.get_implementation().reactor_data_;
  }
  /// Asks the kernel to say with each recv how much is left. Only TCP does.
  void ask_for_rest() {
    const int on = 1;
    tells_rest = ::setsockopt(native_handle(), IPPROTO_TCP, TCP_INQ, &on, sizeof on) == 0;
  }

  bool tells_rest = false;
  bool emptied = false;  ///< by the last recv, as the kernel says
  bool sent = false;     ///< since the last recv, so that no reset had come by then
};

/// A recv in the reactor of Asio, which its own async_receive would begin with an attempt that
/// nearly always fails: who has answered a request waits for the next one. The reactor leaves the
/// attempt out after an operation that ended done_and_exhausted, and this one does when the kernel
/// says that nothing is left, the end of the stream included. A reset is not included: see
/// start_recv. Lives inside the IoOp.
class AsioOperations::Receive final : public boost::asio::detail::reactor_op {
 public:
  Receive(AsioOperations& self, IoOp& op, Socket& socket)
      : reactor_op(boost::system::error_code(), &Receive::perform, &Receive::ended),
        self_(self),
        op_(op),
        socket_(socket) {}

  /// One attempt: a count, 0 at the end of the stream, or -errno.
  static std::int64_t attempt(const IoOp& op, Socket& socket) {
    const IoOp::Arguments& with = op.arguments;
    iovec buffer{with.data, with.bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    for (;;) {
      msghdr message{};
      message.msg_iov = &buffer;
      message.msg_iovlen = 1;
      if (socket.tells_rest) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
      }
      // Not through recvmsg(2), which is a point of cancellation: see start_send.
      const long count = ::syscall(SYS_recvmsg, with.fd, &message, MSG_DONTWAIT);
      if (count >= 0) {
        socket.emptied = count > 0 && says_empty(message);
        socket.sent = false;
        return count;
      }
      if (errno != EINTR) return -errno;
    }
  }

 private:
  static status perform(reactor_op* base) {
    auto& receive = *static_cast<Receive*>(base);
    const std::int64_t result = attempt(receive.op_, receive.socket_);
    if (result == -EAGAIN) return not_done;
    if (result < 0) {
      receive.ec_ =
          boost::system::error_code(static_cast<int>(-result), boost::system::system_category());
      return done;
    }
    receive.bytes_transferred_ = static_cast<std::size_t>(result);
    return result == 0 || receive.socket_.emptied ? done_and_exhausted : done;
  }

  static bool says_empty(msghdr& message) {
    const cmsghdr* const told = CMSG_FIRSTHDR(&message);
    if (told == nullptr || told->cmsg_level != IPPROTO_TCP || told->cmsg_type != TCP_CM_INQ)
      return false;
    int left = 1;
    std::memcpy(&left, CMSG_DATA(told), sizeof left);
    return left == 0;
  }

  static void ended(void* owner, boost::asio::detail::operation* base,
                    const boost::system::error_code&, std::size_t) {
    if (owner == nullptr) return;  // the context goes, and with it what waits
    auto& receive = *static_cast<Receive*>(base);
    // Not of this object any more: the operation may be gone before end() returns.
    AsioOperations& self = receive.self_;
    IoOp& op = receive.op_;
    const std::int64_t result = result_of_asio(receive.ec_, receive.bytes_transferred_);
    self.end(op, result);
  }

  AsioOperations& self_;
  IoOp& op_;
  Socket& socket_;
};

}  // namespace precipice
