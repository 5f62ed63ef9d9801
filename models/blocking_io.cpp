#include "models/blocking_io.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "models/random.hpp"

namespace precipice {
namespace {

void disable_nagle(int socket) noexcept {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void ignore_signal(int) {}

}  // namespace

Start BlockingIo::start(IoOp& op) {
  const IoOp::Arguments& a = op.arguments;
  if (op.kind == IoOp::Kind::compute) {
    op.result = static_cast<std::int64_t>((*a.work)());
    return Start::completed;
  }
  if (op.kind == IoOp::Kind::acquire) {
    a.gate->enter_blocking();
    op.result = 0;
    return Start::completed;
  }
  if (cancelled()) {
    op.result = -ECANCELED;
    return Start::completed;
  }
  switch (op.kind) {
    case IoOp::Kind::sleep:
      op.result = sleep_until(a.until);
      break;
    case IoOp::Kind::read:
      op.result = complete(
          a.fd, 0, [&] { return ::pread(a.fd, a.data, a.bytes, static_cast<off_t>(a.offset)); });
      break;
    case IoOp::Kind::recv:
      op.result = complete(a.fd, POLLIN, [&] { return ::recv(a.fd, a.data, a.bytes, 0); });
      break;
    case IoOp::Kind::send:
      op.result =
          complete(a.fd, POLLOUT, [&] { return ::send(a.fd, a.data, a.bytes, MSG_NOSIGNAL); });
      break;
    case IoOp::Kind::connect:
      op.result = open_connection(*a.peer);
      break;
    case IoOp::Kind::accept:
      op.result = accept_connection(a.fd);
      break;
    case IoOp::Kind::readable:
      op.result = wait_ready(a.fd, POLLIN);
      break;
    case IoOp::Kind::writable:
      op.result = wait_ready(a.fd, POLLOUT);
      break;
    case IoOp::Kind::acquire:
    case IoOp::Kind::compute:
      break;
  }
  return Start::completed;
}

/// Repeats an interrupted call until it ends or the Io is cancelled. `events`: what to poll for
/// when somebody made the descriptor non-blocking; 0 when that cannot help.
template <class Call>
std::int64_t BlockingIo::complete(int fd, short events, Call call) const {
  for (;;) {
    const std::int64_t result = call();
    if (result >= 0) return result;
    const int error = errno;
    if (error == EINTR) {
      if (cancelled()) return -ECANCELED;
    } else if (error == EAGAIN && events != 0) {
      if (const std::int64_t failed = wait_ready(fd, events); failed != 0) return failed;
    } else {
      return -error;
    }
  }
}

std::int64_t BlockingIo::wait_ready(int fd, short events) const {
  if (fd < 0) return -EBADF;  // poll would leave it out, and wait for nothing
  pollfd waiting{fd, events, 0};
  for (;;) {
    if (::poll(&waiting, 1, -1) > 0) return (waiting.revents & POLLNVAL) != 0 ? -EBADF : 0;
    const int error = errno;
    if (error != EINTR) return -error;
    if (cancelled()) return -ECANCELED;
  }
}

std::int64_t BlockingIo::sleep_until(Time until) const {
  const auto since_boot = until.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  timespec when{};
  when.tv_sec = seconds.count();
  when.tv_nsec = (since_boot - seconds).count();
  for (;;) {
    const int error = ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
    if (error != EINTR) return -error;
    if (cancelled()) return -ECANCELED;
  }
}

std::int64_t BlockingIo::open_connection(const sockaddr_in& peer) const {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -errno;
  disable_nagle(socket);
  int error = 0;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
    error = errno;
    if (error == EINTR) {
      // An interrupted connect goes on in the background; a second call would only say EALREADY.
      error = cancelled() ? ECANCELED : static_cast<int>(-wait_ready(socket, POLLOUT));
      socklen_t size = sizeof error;
      if (error == 0) getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return socket;
  ::close(socket);
  return -error;
}

std::int64_t BlockingIo::accept_connection(int listener) const {
  for (;;) {
    const std::int64_t socket = complete(
        listener, POLLIN, [&] { return ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); });
    if (socket == -ECONNABORTED) continue;  // this peer gave up; another may be waiting
    if (socket >= 0) disable_nagle(static_cast<int>(socket));
    return socket;
  }
}

BufferPool& BlockingIo::shard() noexcept {
  return shards_[mix64(static_cast<std::uint64_t>(pthread_self())) % shards_.size()].buffers;
}

void BlockingIo::close(int socket) noexcept { ::close(socket); }

void install_interrupt_signal() {
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_handler = ignore_signal;
    sigemptyset(&action.sa_mask);
    return sigaction(kInterruptSignal, &action, nullptr) == 0;
  }();
  static_cast<void>(installed);
}

void accept_interrupts() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kInterruptSignal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void interrupt_thread(pthread_t thread) noexcept { pthread_kill(thread, kInterruptSignal); }

}  // namespace precipice
