#include "harness/serve/acceptor.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "models/new_thread.hpp"
#include "models/options.hpp"
#include "models/unavailable.hpp"

namespace precipice::serve {

Acceptor::Acceptor(const Listener& listener, Model& model, Service& service, ConnectionTable& table,
                   const CpuSet& cpus)
    : listener_(listener.fd()), model_(model), service_(service), table_(table) {
  stop_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (stop_fd_ < 0) {
    throw Unavailable("cannot make an eventfd: " + std::string(std::strerror(errno)) +
                      "; raise the limit on descriptors (ulimit -n)");
  }
  reserve_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  thread_ = new_thread("the acceptor's thread", [this, cpus] {
    try {
      pin_this_thread(cpus);
    } catch (const Unavailable&) {  // the model's threads have said so, or will
    }
    name_this_thread("acceptor");
    run();
  });
}

void Acceptor::stop() noexcept {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_fd_, &one, sizeof one);
    thread_.join();
  }
  if (stop_fd_ >= 0) ::close(std::exchange(stop_fd_, -1));
  if (reserve_fd_ >= 0) ::close(std::exchange(reserve_fd_, -1));
}

void Acceptor::run() {
  pollfd waited[] = {{listener_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
  for (;;) {
    if (::poll(waited, 2, -1) < 0 && errno != EINTR) return;
    if (waited[1].revents != 0) return;
    while (accept_one()) {
    }
  }
}

bool Acceptor::accept_one() {
  // Blocking, as an Io expects a descriptor of connect or accept; those that poll make it
  // otherwise.
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) {
    place(fd);
    return true;
  }
  switch (errno) {
    case EMFILE:
    case ENFILE:
      sacrifice_reserve();
      return true;
    case ENOBUFS:
    case ENOMEM: {
      // The kernel is out of memory: another try at once would only take the CPU.
      constexpr timespec kPause{0, 10'000'000};
      ::nanosleep(&kPause, nullptr);
      return false;
    }
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

void Acceptor::place(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  accepted_.fetch_add(1, std::memory_order_relaxed);
  Slot* const slot = table_.open(fd);
  if (slot == nullptr) {
    without_place_.fetch_add(1, std::memory_order_relaxed);
    turn_away(fd);
  } else if (model_.submit(service_.request_for(*slot)) != Refusal::none) {
    service_.turn_away(*slot);
  }
}

// No descriptor is left. The one in reserve accepts the connection so that it can be closed: left
// where it is, it would wake this thread again and again.
void Acceptor::sacrifice_reserve() {
  if (reserve_fd_ >= 0) ::close(std::exchange(reserve_fd_, -1));
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) {
    accepted_.fetch_add(1, std::memory_order_relaxed);
    without_place_.fetch_add(1, std::memory_order_relaxed);
    turn_away(fd);
  }
  reserve_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno != EAGAIN) {
    constexpr timespec kPause{0, 10'000'000};
    ::nanosleep(&kPause, nullptr);
  }
}

}  // namespace precipice::serve
