// The life of AsioOperations, and its operations on timers and sockets.
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <exception>
#include <utility>

#include "models/asio_receive.hpp"

namespace precipice {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

using Timer =
    asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, asio::io_context::executor_type>;
static_assert(sizeof(Timer) <= IoOp::kEngineBytes, "the timer lives inside the operation");

Timer& timer_of(IoOp& op) { return *std::launder(reinterpret_cast<Timer*>(op.engine)); }

}  // namespace

struct AsioOperations::TimerEnded {
  using allocator_type = FrameAllocator<std::byte>;
  allocator_type get_allocator() const noexcept { return {}; }
  AsioOperations* self;
  IoOp* op;
  void operator()(const error_code& error) const { self->end(*op, result_of_asio(error, 0)); }
};

struct AsioOperations::SocketEnded {
  using allocator_type = FrameAllocator<std::byte>;
  allocator_type get_allocator() const noexcept { return {}; }
  AsioOperations* self;
  IoOp* op;
  void operator()(const error_code& error, std::size_t bytes) const {
    self->end(*op, result_of_asio(error, bytes));
  }
};

AsioOperations::AsioOperations(asio::io_context& io, OffloadPool& offload, Threads threads,
                               Completed completed, void* context, Hook hook)
    : io_(io),
      reactor_(asio::use_service<asio::detail::epoll_reactor>(io)),
      offload_(offload),
      threads_(threads),
      completed_(completed),
      context_(context),
      hook_(hook),
      buffers_(threads == Threads::many) {
  // Asio makes its epoll and event descriptors when the first timer is made: now, where it can be
  // said that there are none, and not in the first request.
  const Timer reactor(io_.get_executor());
}

AsioOperations::~AsioOperations() {
  for (std::unique_ptr<Socket>& socket : sockets_) {
    error_code ignored;
    if (socket) socket->release(ignored);
  }
}

Start AsioOperations::done(IoOp& op, std::int64_t result) const noexcept {
  op.result = result;
  return Start::completed;
}

Start AsioOperations::start(IoOp& op) {
  // Whatever this throws is the request's own.
  if (op.kind == IoOp::Kind::compute) {
    return done(op, static_cast<std::int64_t>((*op.arguments.work)()));
  }
  try {
    switch (op.kind) {
      case IoOp::Kind::sleep:
        return start_sleep(op);
      case IoOp::Kind::recv:
        return start_recv(op);
      case IoOp::Kind::send:
        return start_send(op);
      case IoOp::Kind::accept:
        return start_accept(op);
      case IoOp::Kind::connect:
        return start_connect(op);
      case IoOp::Kind::readable:
      case IoOp::Kind::writable:
        return start_readiness(op);
      case IoOp::Kind::read: {
        {
          const auto lock = guard();
          if (cancelled_) return done(op, -ECANCELED);
        }
        offload_.submit(*this, op);
        return Start::queued;
      }
      case IoOp::Kind::acquire:
        return op.arguments.gate->enter_or_queue(op);
      case IoOp::Kind::compute:
        break;
    }
  } catch (const boost::system::system_error& error) {
    return done(op, -error.code().value());
  } catch (const std::exception&) {  // bad_alloc, or a table that cannot grow
    return done(op, -ENOMEM);
  }
  return done(op, -EINVAL);
}

std::unique_lock<std::mutex> AsioOperations::guard() {
  return threads_ == Threads::many ? std::unique_lock(mutex_)
                                   : std::unique_lock(mutex_, std::defer_lock);
}

void AsioOperations::link(IoOp& op) noexcept {
  op.previous = nullptr;
  op.next = pending_;
  if (pending_ != nullptr) pending_->previous = &op;
  pending_ = &op;
  waiting_.fetch_add(1, std::memory_order_relaxed);
}

void AsioOperations::unlink(IoOp& op) noexcept {
  (op.previous != nullptr ? op.previous->next : pending_) = op.next;
  if (op.next != nullptr) op.next->previous = op.previous;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

void AsioOperations::end(IoOp& op, std::int64_t result) {
  {
    const auto lock = guard();
    unlink(op);
    if (op.kind == IoOp::Kind::sleep) timer_of(op).~Timer();
  }
  completed_(context_, op, result);
}

// The lock is held from the list to Asio's queue, so that cancel_all never meets an operation that
// is in one but not yet in the other.
Start AsioOperations::start_sleep(IoOp& op) {
  const auto lock = guard();
  if (cancelled_) return done(op, -ECANCELED);
  if (op.arguments.until <= Io::now()) return done(op, 0);
  Timer* timer = new (op.engine) Timer(io_.get_executor(), op.arguments.until);
  link(op);
  try {
    timer->async_wait(TimerEnded{this, &op});
  } catch (...) {
    unlink(op);
    timer->~Timer();
    throw;
  }
  return Start::queued;
}

AsioOperations::Socket* AsioOperations::socket_for(int descriptor, int& error) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (descriptor < 0) {
    error = EBADF;
    return nullptr;
  }
  if (index >= sockets_.size()) sockets_.resize(index + 1);
  if (!sockets_[index]) {
    auto socket = std::make_unique<Socket>(io_.get_executor());
    error_code failed;
    // The family is never looked at again: TCP, Unix and listening sockets are all just readiness.
    socket->assign(asio::generic::stream_protocol(AF_UNSPEC, 0), descriptor, failed);
    if (failed) {
      error = failed.value();
      return nullptr;
    }
    socket->native_non_blocking(true, failed);
    // With several threads, who sends would have to look its socket up under the lock.
    if (threads_ == Threads::one) socket->ask_for_rest();
    sockets_[index] = std::move(socket);
  }
  return sockets_[index].get();
}

Start AsioOperations::start_recv(IoOp& op) {
  static_assert(sizeof(Receive) <= IoOp::kEngineBytes, "it lives inside the operation");
  const auto lock = guard();
  if (cancelled_) return done(op, -ECANCELED);
  if (op.arguments.bytes == 0) return done(op, 0);
  int error = 0;
  Socket* socket = socket_for(op.arguments.fd, error);
  if (socket == nullptr) return done(op, -error);
  // A reset that came together with the bytes of the last recv has raised no event of its own. If
  // something has been sent since, there was none by then; otherwise it has to be looked for.
  if (socket->emptied && !socket->sent) {
    if (const std::int64_t result = Receive::attempt(op, *socket); result != -EAGAIN)
      return done(op, result);
  }
  link(op);
  reactor_.start_op(asio::detail::epoll_reactor::read_op, op.arguments.fd, socket->entry(),
                    new (op.engine) Receive(*this, op, *socket), false, true);
  return Start::queued;
}

Start AsioOperations::start_send(IoOp& op) {
  const IoOp::Arguments& send = op.arguments;
  // A reply nearly always fits the socket's buffer: no handler, no pass through the queue.
  for (;;) {
    // Not through send(2): it is a point of cancellation, which no thread here has, and to say so
    // costs a process with several threads some 60 ns a call.
    const long count = ::syscall(SYS_sendto, send.fd, send.data, send.bytes,
                                 MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
    if (count >= 0) {
      const auto index = static_cast<std::size_t>(send.fd);
      if (threads_ == Threads::one && index < sockets_.size() && sockets_[index])
        sockets_[index]->sent = true;
      return done(op, count);
    }
    if (errno == EAGAIN) break;
    if (errno != EINTR) return done(op, -errno);
  }
  const auto lock = guard();
  if (cancelled_) return done(op, -ECANCELED);
  int error = 0;
  Socket* socket = socket_for(send.fd, error);
  if (socket == nullptr) return done(op, -error);
  link(op);
  try {
    socket->async_send(asio::buffer(static_cast<const void*>(send.data), send.bytes),
                       SocketEnded{this, &op});
  } catch (...) {
    unlink(op);
    throw;
  }
  return Start::queued;
}

void AsioOperations::close(int socket) noexcept {
  std::unique_ptr<Socket> registered;
  {
    const auto lock = guard();
    const auto index = static_cast<std::size_t>(socket);
    if (socket >= 0 && index < sockets_.size()) registered = std::move(sockets_[index]);
  }
  if (registered) {
    error_code ignored;
    registered->close(ignored);
  } else if (socket >= 0) {
    ::close(socket);
  }
}

void AsioOperations::cancel_all() noexcept {
  {
    const auto lock = guard();
    cancelled_ = true;
    for (IoOp* op = pending_; op != nullptr; op = op->next) {
      error_code ignored;
      if (op->kind == IoOp::Kind::sleep) {
        timer_of(*op).cancel();
      } else {
        sockets_[static_cast<std::size_t>(op->arguments.fd)]->cancel(ignored);
      }
    }
  }
  offload_.cancel(*this);
}

}  // namespace precipice
