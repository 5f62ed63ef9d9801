// The plainest Io there is, for tests of workloads: every operation is one system call on the
// calling thread, and can be made to go wrong.
#pragma once

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "models/io.hpp"
#include "workloads/workload.hpp"

namespace precipice::testing {

/// One thread only.
class PlainIo final : public Io {
 public:
  explicit PlainIo(unsigned executor = 0) : executor_(executor) {}

  /// Reads, receives and sends move at most this many bytes.
  std::size_t most_bytes = std::numeric_limits<std::size_t>::max();
  /// Flips the lowest bit of the n-th byte that is read or received from now on; < 0: none.
  std::int64_t flip_byte = -1;
  /// The next operation of this kind fails with this errno value; 0: none.
  IoOp::Kind fail_kind{};
  int fail_error = 0;
  bool no_memory = false;
  /// What was asked for, in order.
  std::vector<IoOp::Kind> kinds;
  Nanos asked_sleep{0};

  unsigned executor() const noexcept override { return executor_; }
  void close(int socket) noexcept override { ::close(socket); }
  void wake(IoOp& op) noexcept override { op.finish(0); }
  Lease lease(std::size_t bytes) override {
    void* memory = nullptr;
    if (no_memory || posix_memalign(&memory, 4096, bytes) != 0) throw std::bad_alloc();
    return {*this, static_cast<std::byte*>(memory), bytes};
  }

 protected:
  void give_back(std::byte* data, std::size_t) noexcept override { std::free(data); }

  Start start(IoOp& op) override {
    kinds.push_back(op.kind);
    if (fail_error != 0 && fail_kind == op.kind) {
      op.result = -std::exchange(fail_error, 0);
    } else {
      op.result = perform(op.kind, op.arguments);
    }
    return Start::completed;
  }

 private:
  std::int64_t perform(IoOp::Kind kind, const IoOp::Arguments& a) {
    const std::size_t bytes = std::min(a.bytes, most_bytes);
    switch (kind) {
      case IoOp::Kind::sleep:
        asked_sleep += std::max(Nanos(0), a.until - now());
        std::this_thread::sleep_until(a.until);
        return 0;
      case IoOp::Kind::read:
        return spoilt(a, ::pread(a.fd, a.data, bytes, static_cast<off_t>(a.offset)));
      case IoOp::Kind::recv:
        return spoilt(a, ::recv(a.fd, a.data, bytes, 0));
      case IoOp::Kind::send:
        return checked(::send(a.fd, a.data, bytes, MSG_NOSIGNAL));
      case IoOp::Kind::connect:
        return open(*a.peer);
      case IoOp::Kind::accept:
        return checked(::accept4(a.fd, nullptr, nullptr, SOCK_CLOEXEC));
      case IoOp::Kind::readable:
        return ready(a.fd, POLLIN);
      case IoOp::Kind::writable:
        return ready(a.fd, POLLOUT);
      case IoOp::Kind::acquire:
        a.gate->enter_blocking();
        return 0;
      case IoOp::Kind::compute:
        return static_cast<std::int64_t>((*a.work)());
    }
    return -ENOSYS;
  }

  static std::int64_t ready(int fd, short events) {
    if (fd < 0) return -EBADF;
    pollfd waiting{fd, events, 0};
    const std::int64_t found = checked(::poll(&waiting, 1, -1));
    return found < 0 ? found : 0;
  }

  static std::int64_t checked(std::int64_t result) { return result < 0 ? -errno : result; }

  std::int64_t spoilt(const IoOp::Arguments& a, std::int64_t got) {
    if (flip_byte >= 0 && got > 0) {
      if (flip_byte < got) a.data[flip_byte] ^= std::byte{1};
      flip_byte -= got;
    }
    return checked(got);
  }

  static std::int64_t open(const sockaddr_in& peer) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) return fd;
    const int error = errno;
    ::close(fd);
    return -error;
  }

  unsigned executor_;
};

inline std::unique_ptr<Workload> make_workload(std::string_view name,
                                               const std::map<std::string, std::string>& given) {
  const WorkloadInfo& info = workload_named(name);
  return info.make(Options(info.name, info.options, given));
}

namespace detail {
inline Task<void> drive(Workload* workload, Io* io, Request request, Outcome* outcome) {
  try {
    *outcome = co_await workload->run(*io, request);
  } catch (const std::bad_alloc&) {
    *outcome = Outcome::failed(ENOMEM);
  }
}
}  // namespace detail

/// Runs one request to its end on this thread.
inline Outcome run_request(Workload& workload, PlainIo& io, std::uint64_t seed) {
  Outcome outcome = Outcome::failed(ENOTRECOVERABLE);
  detail::drive(&workload, &io,
                {.id = seed, .seed = static_cast<std::uint32_t>(seed), .intended = Io::now()},
                &outcome)
      .start(nullptr, nullptr);
  return outcome;
}

}  // namespace precipice::testing
