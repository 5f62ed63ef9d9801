// The ring's part of multishot accepts: the loop of a listening socket gets its connections one by
// one, however many the kernel has accepted meanwhile.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "models/ring.hpp"

namespace precipice {

Start Ring::start_accept(IoOp& op) {
  if (!op.arguments.ahead) {
    issue(op);
    return Start::queued;
  }
  const auto known = std::find_if(listeners_.begin(), listeners_.end(), [&op](const auto& each) {
    return each->descriptor == op.arguments.fd;
  });
  RingListener* listener = known == listeners_.end() ? nullptr : known->get();
  if (listener == nullptr) {
    try {
      listeners_.push_back(std::make_unique<RingListener>());
    } catch (const std::bad_alloc&) {
      issue(op);
      return Start::queued;
    }
    listener = listeners_.back().get();
    listener->descriptor = op.arguments.fd;
    // Of a non-blocking socket the ring would answer EAGAIN instead of waiting.
    const int flags = ::fcntl(op.arguments.fd, F_GETFL);
    if (flags >= 0) ::fcntl(op.arguments.fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  if (!listener->ahead.empty()) {
    op.result = listener->ahead.front();
    listener->ahead.pop_front();
    return Start::completed;
  }
  if (listener->ended) {
    op.result = listener->end;
    listener->ended = false;  // as accept(2) would, which may be called again
    return Start::completed;
  }
  if (!listener->armed && (listener->one_by_one || !arm(*listener, op.arguments.fd))) {
    issue(op);
  } else {
    listener->waiter = &op;
  }
  return Start::queued;
}

bool Ring::arm(RingListener& listener, int descriptor) {
  io_uring_sqe* const sqe = next_sqe();
  if (sqe == nullptr) return false;
  io_uring_prep_multishot_accept(sqe, descriptor, nullptr, nullptr, SOCK_CLOEXEC);
  io_uring_sqe_set_data64(sqe, reinterpret_cast<std::uintptr_t>(&listener) | kListenerTag);
  listener.armed = true;
  ++armed_streams_;
  return true;
}

void Ring::accepted(RingListener& listener, std::int32_t result, std::uint32_t flags) {
  if ((flags & IORING_CQE_F_MORE) == 0) {
    listener.armed = false;
    --armed_streams_;
  }
  if (listener.closing) {
    if (result >= 0) ::close(result);
    if (!listener.armed) delete &listener;
    return;
  }
  // Others leave the listener as it was: the next accept arms it again.
  const bool again = result == -EINTR || result == -ECANCELED || result == -ECONNABORTED;
  if (result >= 0) {
    set_no_delay(result);
    try {
      listener.ahead.push_back(result);
    } catch (const std::bad_alloc&) {
      ::close(result);
    }
  } else if (result == -EAGAIN || (result == -EINVAL && !listener.proven)) {
    // Of a kernel without it, or a socket that someone made non-blocking again. What has accepted
    // before answers EINVAL once it is shut down.
    listener.one_by_one = true;
  } else if (!again) {
    listener.ended = true;
    listener.end = result;
  }
  if (result >= 0) listener.proven = true;
  IoOp* const waiter = std::exchange(listener.waiter, nullptr);
  if (waiter == nullptr) return;
  // With the operation's end the listener may go.
  if (!listener.ahead.empty()) {
    const int connection = listener.ahead.front();
    listener.ahead.pop_front();
    waiter->finish(connection);
  } else if (listener.ended) {
    listener.ended = false;
    waiter->finish(listener.end);
  } else if (cancelling_) {
    waiter->finish(-ECANCELED);
  } else if (!listener.armed && (listener.one_by_one || !arm(listener, listener.descriptor))) {
    issue(*waiter);
  } else {
    listener.waiter = waiter;
  }
}

bool Ring::close_listener(int descriptor) noexcept {
  const auto known =
      std::find_if(listeners_.begin(), listeners_.end(),
                   [descriptor](const auto& each) { return each->descriptor == descriptor; });
  if (known == listeners_.end()) return false;
  RingListener& listener = **known;
  for (const int connection : listener.ahead) ::close(connection);
  listener.ahead.clear();
  if (listener.armed) {
    // The kernel's accept holds the socket open, and ends with it.
    ::shutdown(descriptor, SHUT_RD);
    listener.closing = true;
    static_cast<void>(known->release());  // by its last completion
  }
  listeners_.erase(known);
  return true;
}

// What a loop does with its end may close its listener, so each is looked for anew.
void Ring::cancel_listeners() {
  for (;;) {
    const auto waits = std::find_if(listeners_.begin(), listeners_.end(),
                                    [](const auto& each) { return each->waiter != nullptr; });
    if (waits == listeners_.end()) return;
    std::exchange((*waits)->waiter, nullptr)->finish(-ECANCELED);
  }
}

}  // namespace precipice
