// What a ring does with one operation: from its beginning, through the submission queue, to the
// completion that resumes its request.
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "models/ring.hpp"

namespace precipice {
namespace {

bool awaits_readiness(const IoOp& op) {
  return op.kind == IoOp::Kind::readable || op.kind == IoOp::Kind::writable;
}

unsigned readiness_of(const IoOp& op) {
  return op.kind == IoOp::Kind::send || op.kind == IoOp::Kind::writable ? POLLOUT : POLLIN;
}

}  // namespace

void Ring::set_no_delay(int socket) noexcept {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// What the ring keeps with an operation.
struct Ring::State {
  sockaddr_in peer{};    // connect: the kernel reads it when the operation is submitted
  bool polling = false;  // a non-blocking socket was not ready, so its readiness is awaited first
  bool async = false;    // read: goes straight to a kernel thread
};

Ring::State& Ring::state_of(IoOp& op) {
  static_assert(sizeof(State) <= IoOp::kEngineBytes);
  return *std::launder(reinterpret_cast<State*>(op.engine));
}

Start Ring::start(IoOp& op) {
  op.result = 0;
  if (op.kind == IoOp::Kind::compute) {
    op.result = static_cast<std::int64_t>((*op.arguments.work)());
    return Start::completed;
  }
  if (op.kind == IoOp::Kind::acquire) return op.arguments.gate->enter_or_queue(op);
  if (cancelling_) {
    op.result = -ECANCELED;
    return Start::completed;
  }
  if (op.kind == IoOp::Kind::sleep) {
    if (op.arguments.until <= now()) return Start::completed;
    try {
      timers_.push(op);
      return Start::queued;
    } catch (const std::bad_alloc&) {
      op.result = -ENOMEM;
      return Start::completed;
    }
  }
  new (op.engine) State;
  if (op.kind == IoOp::Kind::connect) return start_connect(op);
  if (op.kind == IoOp::Kind::recv) return start_recv(op);
  if (op.kind == IoOp::Kind::accept) return start_accept(op);
  issue(op);
  return Start::queued;
}

Start Ring::start_connect(IoOp& op) {
  // Blocking, as far as the socket knows: the ring itself then waits for readiness.
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    op.result = -errno;
    return Start::completed;
  }
  set_no_delay(socket);
  state_of(op).peer = *op.arguments.peer;
  op.arguments.fd = socket;
  issue(op);
  return Start::queued;
}

io_uring_sqe* Ring::next_sqe() {
  io_uring* ring = ring_->get();
  io_uring_sqe* sqe = io_uring_get_sqe(ring);
  if (sqe == nullptr) {
    tallies_.full.add(1);
    submit_early();
    sqe = io_uring_get_sqe(ring);
  }
  if (sqe != nullptr) ++unsubmitted_;
  return sqe;
}

// May fall short; what it leaves is submitted by the next pass.
void Ring::submit_early() {
  io_uring* ring = ring_->get();
  tallies_.enters.add(1);
  io_uring_submit(ring);
  const unsigned left = io_uring_sq_ready(ring);
  tallies_.submits.add(1);
  tallies_.sqes.add(unsubmitted_ - std::min(unsubmitted_, left));
  unsubmitted_ = left;
}

void Ring::issue(IoOp& op) {
  io_uring_sqe* sqe = next_sqe();
  if (sqe == nullptr) {
    op.next = nullptr;
    (backlog_tail_ != nullptr ? backlog_tail_->next : backlog_head_) = &op;
    backlog_tail_ = &op;
    return;
  }
  prepare(*sqe, op);
  link(op);
  // Not held back for others: whether the device has enough to do meanwhile cannot be known (it may
  // have ended what it has, and not said so yet), and an idle device costs more than a system call.
  if (op.kind == IoOp::Kind::read) submit_early();
}

void Ring::prepare(io_uring_sqe& sqe, IoOp& op) {
  const IoOp::Arguments& with = op.arguments;
  State& state = state_of(op);
  if (state.polling || awaits_readiness(op)) {
    io_uring_prep_poll_add(&sqe, with.fd, readiness_of(op));
  } else {
    switch (op.kind) {
      case IoOp::Kind::read:
        prepare_read(sqe, op);
        break;
      case IoOp::Kind::recv:
        io_uring_prep_recv(&sqe, with.fd, with.data, with.bytes, 0);
        // What a request waits for seldom is there already, so that an attempt before the wait
        // would fail. A kernel that knows either flag of the set-up knows this one (5.19).
        if ((ring_->get()->flags & (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN)) != 0)
          sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
        break;
      case IoOp::Kind::send:
        io_uring_prep_send(&sqe, with.fd, with.data, with.bytes, MSG_NOSIGNAL);
        break;
      case IoOp::Kind::accept:
        io_uring_prep_accept(&sqe, with.fd, nullptr, nullptr, SOCK_CLOEXEC);
        break;
      case IoOp::Kind::connect:
        io_uring_prep_connect(&sqe, with.fd, reinterpret_cast<const sockaddr*>(&state.peer),
                              sizeof state.peer);
        break;
      default:
        io_uring_prep_nop(&sqe);  // the others never come here
    }
  }
  io_uring_sqe_set_data(&sqe, &op);
}

void Ring::prepare_read(io_uring_sqe& sqe, IoOp& op) {
  const IoOp::Arguments& with = op.arguments;
  const auto bytes = static_cast<unsigned>(std::min<std::size_t>(with.bytes, 0x7ffff000));
  const int fixed = ring_->fixed_file(with.fd);
  const int file = fixed >= 0 ? fixed : with.fd;
  if (arena_registered_ && in_arena(with.data)) {
    io_uring_prep_read_fixed(&sqe, file, with.data, bytes, with.offset, 0);
    tallies_.fixed_reads.add(1);
  } else {
    io_uring_prep_read(&sqe, file, with.data, bytes, with.offset);
  }
  if (fixed >= 0) sqe.flags |= IOSQE_FIXED_FILE;
  if (state_of(op).async) sqe.flags |= IOSQE_ASYNC;
}

void Ring::completed(IoOp& op, std::int32_t result) {
  unlink(op);
  State& state = state_of(op);
  std::int64_t value = result;
  const bool was_polling = std::exchange(state.polling, false);
  // ECONNABORTED: the peer of an accept has gone before it was accepted, so the next one counts.
  const bool again = (was_polling && result >= 0) || result == -EINTR || result == -EAGAIN ||
                     (result == -ECONNABORTED && op.kind == IoOp::Kind::accept);
  if (again) {
    if (!cancelling_ && op.kind != IoOp::Kind::connect) {
      // A socket that someone made non-blocking answers EAGAIN instead of being waited for.
      if (result == -EAGAIN && !awaits_readiness(op)) {
        (op.kind == IoOp::Kind::read ? state.async : state.polling) = true;
      }
      issue(op);
      return;
    }
    if (cancelling_) value = -ECANCELED;
  }
  if (awaits_readiness(op) && value > 0) value = 0;  // not the events, which no other engine tells
  if (op.kind == IoOp::Kind::send && value > 0) {
    const auto index = static_cast<std::size_t>(op.arguments.fd);
    if (index < streams_.size() && streams_[index]) streams_[index]->unanswered = false;
  }
  if (op.kind == IoOp::Kind::accept && value >= 0) set_no_delay(static_cast<int>(value));
  if (op.kind == IoOp::Kind::connect) {
    if (value >= 0) {
      value = op.arguments.fd;
    } else {
      ::close(op.arguments.fd);
    }
  }
  op.finish(value);
}

void Ring::link(IoOp& op) noexcept {
  op.previous = nullptr;
  op.next = pending_;
  if (pending_ != nullptr) pending_->previous = &op;
  pending_ = &op;
}

void Ring::unlink(IoOp& op) noexcept {
  (op.previous != nullptr ? op.previous->next : pending_) = op.next;
  if (op.next != nullptr) op.next->previous = op.previous;
}

Lease Ring::lease(std::size_t bytes) {
  if (!arena_free_.empty() && bytes <= BufferPool::rounded(settings_.block_bytes)) {
    std::byte* block = arena_free_.back();
    arena_free_.pop_back();
    return {*this, block, bytes};
  }
  return {*this, buffers_.lend(bytes), bytes};
}

void Ring::give_back(std::byte* data, std::size_t bytes) noexcept {
  if (in_arena(data)) {
    arena_free_.push_back(data);  // reserved for all of them
  } else {
    buffers_.give_back(data, bytes);
  }
}

}  // namespace precipice
