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
    : model_(model),
      service_(service),
      table_(table),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  epoll_event stop{.events = EPOLLIN, .data = {.u64 = kStop}};
  if (!epoll_.valid() || !stop_.valid() ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &stop) != 0)
    throw Unavailable(std::string("cannot watch parked connections: ") + std::strerror(errno) +
                      "; raise the limit on descriptors (ulimit -n)");
  thread_ = new_thread("the thread that watches parked connections", [this] {
    name_this_thread("parking");
    run();
  });
}

bool Parking::park(Slot& slot) noexcept {
  epoll_event wanted{.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data = {.u64 = slot.index}};
  const int how = std::exchange(slot.watched, true) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  return ::epoll_ctl(epoll_.get(), how, slot.fd, &wanted) == 0;
}

void Parking::stop() noexcept {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void Parking::run() noexcept {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
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
