#include "harness/serve/native_acceptors.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <mutex>
#include <utility>

#include "models/options.hpp"

namespace precipice::serve {

NativeAcceptors::NativeAcceptors(std::vector<Listener> listeners, Model& model, Service& service,
                                 ConnectionTable& table)
    : listeners_(std::move(listeners)),
      model_(model),
      service_(service),
      table_(table),
      job_(service.job()) {}

Job NativeAcceptors::job() {
  return {.run = &NativeAcceptors::run, .refuse = &NativeAcceptors::refuse, .context = this};
}

void NativeAcceptors::start() {
  for (unsigned i = 0; i < listeners_.size(); ++i) {
    if (model_.submit({.id = first_id() + i, .intended = Io::now()}) != Refusal::none)
      throw Unavailable("the model refuses to accept connections: raise its in_flight_limit");
  }
}

// A listening socket that is shut down answers accept with EINVAL, and wakes who waits for it.
void NativeAcceptors::stop() noexcept {
  const std::lock_guard lock(releasing_);
  for (const Listener& listener : listeners_) ::shutdown(listener.fd(), SHUT_RD);
}

Task<void> NativeAcceptors::run(void* self, Io& io, Request request) {
  auto& acceptors = *static_cast<NativeAcceptors*>(self);
  if (request.id < acceptors.first_id())
    return acceptors.job_.run(acceptors.job_.context, io, request);
  return acceptors.accept(io, static_cast<unsigned>(request.id - acceptors.first_id()));
}

void NativeAcceptors::refuse(void* self, const Request& request, Refusal why) noexcept {
  auto& acceptors = *static_cast<NativeAcceptors*>(self);
  if (request.id < acceptors.first_id())
    acceptors.job_.refuse(acceptors.job_.context, request, why);
}

Task<void> NativeAcceptors::accept(Io& io, unsigned executor) {
  for (;;) {
    const std::int64_t fd = co_await io.accept_ahead(listeners_[executor].fd());
    if (fd >= 0) {
      place(static_cast<int>(fd), executor);
      continue;
    }
    if (fd == -ECONNABORTED || fd == -EINTR || fd == -EPROTO) continue;
    if (fd != -EMFILE && fd != -ENFILE && fd != -ENOBUFS && fd != -ENOMEM) break;
    // The connection stays in the queue: another try at once would only take the CPU.
    const std::int64_t slept = co_await io.sleep(std::chrono::milliseconds(10));
    if (slept < 0) break;
  }
  const int listener = [&] {
    const std::lock_guard lock(releasing_);
    return listeners_[executor].release();
  }();
  io.close(listener);  // by the Io that knows it
}

void NativeAcceptors::place(int fd, unsigned executor) noexcept {
  accepted_.fetch_add(1, std::memory_order_relaxed);
  Slot* const slot = table_.open(fd, executor);
  if (slot == nullptr) {
    without_place_.fetch_add(1, std::memory_order_relaxed);
    turn_away(fd);
  } else if (model_.submit(service_.request_for(*slot)) != Refusal::none) {
    service_.turn_away(*slot);
  }
}

}  // namespace precipice::serve
