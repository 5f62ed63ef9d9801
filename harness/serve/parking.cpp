#include "harness/serve/parking.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "models/cpu_set.hpp"
#include "models/new_thread.hpp"
#include "models/options.hpp"

namespace precipice::serve {
namespace {

constexpr std::uint64_t kStop = ~std::uint64_t{0};

}  // namespace

Parking::Parking(Model& model, Service& service, ConnectionTable& table)
    : model_(model), service_(service), table_(table) {
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  stop_fd_ = ::eventfd(0, EFD_CLOEXEC);
  epoll_event stop{.events = EPOLLIN, .data = {.u64 = kStop}};
  if (epoll_fd_ < 0 || stop_fd_ < 0 ||
      ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, stop_fd_, &stop) != 0) {
    const std::string why = std::strerror(errno);
    this->stop();
    throw Unavailable("cannot watch parked connections: " + why +
                      "; raise the limit on descriptors (ulimit -n)");
  }
  thread_ = new_thread("the thread that watches parked connections", [this] {
    name_this_thread("parking");
    run();
  });
}

bool Parking::park(Slot& slot) noexcept {
  epoll_event wanted{.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data = {.u64 = slot.index}};
  const int how = std::exchange(slot.watched, true) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  return ::epoll_ctl(epoll_fd_, how, slot.fd, &wanted) == 0;
}

void Parking::stop() noexcept {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_fd_, &one, sizeof one);
    thread_.join();
  }
  if (stop_fd_ >= 0) ::close(std::exchange(stop_fd_, -1));
  if (epoll_fd_ >= 0) ::close(std::exchange(epoll_fd_, -1));
}

void Parking::run() noexcept {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) return;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t which = events[static_cast<std::size_t>(i)].data.u64;
      if (which == kStop) return;
      Slot& slot = table_.at(which);
      table_.mark(slot, Phase::queued);
      if (model_.submit(service_.request_for(slot)) != Refusal::none) service_.turn_away(slot);
    }
  }
}

}  // namespace precipice::serve
