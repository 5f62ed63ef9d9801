// The ring's part of multishot receives: which requests get what has arrived.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "models/ring.hpp"

namespace precipice {
namespace {

// Pieces kept for a request that does not ask for them, past which the kernel is asked to leave
// what arrives in the socket: there TCP's window stops the peer.
constexpr unsigned kMostHeld = 4;

}  // namespace

RingStream* Ring::stream_of(int descriptor) {
  if (!receive_buffers_.is_open() || descriptor < 0) return nullptr;
  const auto index = static_cast<std::size_t>(descriptor);
  try {
    if (index >= streams_.size()) streams_.resize(index + 1);
    if (!streams_[index]) streams_[index] = std::make_unique<RingStream>();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return streams_[index].get();
}

Start Ring::start_recv(IoOp& op) {
  RingStream* const stream = stream_of(op.arguments.fd);
  if (stream == nullptr) {
    issue(op);
    return Start::queued;
  }
  if (stream->first != ReceiveBuffers::kNone) {
    op.result = static_cast<std::int64_t>(take_received(*stream, op));
    return Start::completed;
  }
  if (stream->ended) {
    op.result = stream->end;
    return Start::completed;
  }
  if (stream->armed && stream->unanswered && has_ended(*stream, op.arguments.fd)) {
    op.result = stream->end;
    return Start::completed;
  }
  // A socket that is received from once only, as for one request and its answer, is done sooner so.
  const bool first_time = !stream->seen;
  stream->seen = true;
  if (!stream->armed && (first_time || stream->one_by_one || !arm(*stream, op.arguments.fd))) {
    issue(op);
  } else {
    stream->waiter = &op;
  }
  return Start::queued;
}

// A reset that comes together with bytes wakes a multishot receive once, and the kernel (6.18) goes
// back to waiting after the bytes. Where something has been sent since, there was no reset by then,
// and a later one wakes it again; otherwise it is looked for.
bool Ring::has_ended(RingStream& stream, int descriptor) noexcept {
  char first = 0;
  const ssize_t ahead = ::recv(descriptor, &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (ahead > 0 || (ahead < 0 && (errno == EAGAIN || errno == EINTR))) return false;
  stream.ended = true;
  stream.end = ahead == 0 ? 0 : -errno;
  return true;
}

bool Ring::arm(RingStream& stream, int descriptor) {
  io_uring_sqe* const sqe = next_sqe();
  if (sqe == nullptr) return false;
  io_uring_prep_recv_multishot(sqe, descriptor, nullptr, 0, 0);
  sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = ReceiveBuffers::kGroup;
  io_uring_sqe_set_data64(sqe, reinterpret_cast<std::uintptr_t>(&stream) | kStreamTag);
  stream.armed = true;
  stream.stopping = false;
  ++armed_streams_;
  return true;
}

// Copies what has arrived, as far as the operation's buffer holds it.
std::size_t Ring::take_received(RingStream& stream, const IoOp& op) noexcept {
  std::size_t taken = 0;
  while (stream.first != ReceiveBuffers::kNone && taken < op.arguments.bytes) {
    const std::uint16_t id = stream.first;
    ReceiveBuffers::Piece& piece = receive_buffers_.piece(id);
    const std::size_t count = std::min<std::size_t>(piece.bytes, op.arguments.bytes - taken);
    std::memcpy(op.arguments.data + taken, receive_buffers_.data(id) + piece.offset, count);
    taken += count;
    piece.offset += static_cast<std::uint32_t>(count);
    piece.bytes -= static_cast<std::uint32_t>(count);
    if (piece.bytes > 0) break;
    stream.first = piece.next;
    if (stream.first == ReceiveBuffers::kNone) stream.last = ReceiveBuffers::kNone;
    --stream.held;
    receive_buffers_.give_back(id);
  }
  return taken;
}

void Ring::keep_received(RingStream& stream, std::uint16_t id, std::uint32_t bytes) noexcept {
  receive_buffers_.piece(id) = {.offset = 0, .bytes = bytes};
  if (stream.last == ReceiveBuffers::kNone) {
    stream.first = id;
  } else {
    receive_buffers_.piece(stream.last).next = id;
  }
  stream.last = id;
  stream.unanswered = true;
  if (++stream.held <= kMostHeld || !stream.armed || stream.stopping) return;
  if (io_uring_sqe* const sqe = next_sqe()) {
    io_uring_prep_cancel64(sqe, reinterpret_cast<std::uintptr_t>(&stream) | kStreamTag, 0);
    io_uring_sqe_set_data64(sqe, kNobody);
    stream.stopping = true;
  }
}

void Ring::forget_received(RingStream& stream) noexcept {
  while (stream.first != ReceiveBuffers::kNone) {
    const std::uint16_t id = stream.first;
    stream.first = receive_buffers_.piece(id).next;
    receive_buffers_.give_back(id);
  }
  stream.last = ReceiveBuffers::kNone;
  stream.held = 0;
}

void Ring::arrived(RingStream& stream, std::int32_t result, std::uint32_t flags) {
  const bool has_buffer = (flags & IORING_CQE_F_BUFFER) != 0;
  const auto id = static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
  if ((flags & IORING_CQE_F_MORE) == 0) {
    stream.armed = false;
    --armed_streams_;
  }
  if (stream.closing) {
    if (has_buffer) receive_buffers_.give_back(id);
    if (!stream.armed) delete &stream;
    return;
  }
  if (result > 0 && has_buffer) {
    keep_received(stream, id, static_cast<std::uint32_t>(result));
  } else {
    if (has_buffer) receive_buffers_.give_back(id);
    // No buffer was left, or it was stopped: the next recv asks again. Some sockets (non-blocking
    // ones) answer EAGAIN or EINVAL, and are received from one by one.
    if (result == -EAGAIN || result == -EINVAL || result == -EOPNOTSUPP) {
      stream.one_by_one = true;
    } else if (!stream.ended && result != -ENOBUFS && result != -ECANCELED && result != -EINTR) {
      stream.ended = true;
      stream.end = std::min(result, 0);
    }
  }
  // With the operation's end the stream may go.
  IoOp* const waiter = stream.waiter;
  if (waiter == nullptr) return;
  if (stream.first != ReceiveBuffers::kNone) {
    stream.waiter = nullptr;
    waiter->finish(static_cast<std::int64_t>(take_received(stream, *waiter)));
  } else if (stream.ended) {
    stream.waiter = nullptr;
    waiter->finish(stream.end);
  } else if (!stream.armed) {
    stream.waiter = nullptr;
    if (cancelling_) {
      waiter->finish(-ECANCELED);
    } else {
      issue(*waiter);
    }
  }
}

void Ring::close(int socket) noexcept {
  if (socket < 0) return;
  if (close_listener(socket)) {
    ::close(socket);
    return;
  }
  const auto index = static_cast<std::size_t>(socket);
  if (index < streams_.size() && streams_[index]) {
    forget_received(*streams_[index]);
    if (streams_[index]->armed) {
      // The kernel's receive holds the socket open, and ends with it.
      ::shutdown(socket, SHUT_RDWR);
      streams_[index]->closing = true;
      static_cast<void>(streams_[index].release());  // by its last completion
    } else {
      streams_[index].reset();
    }
  }
  ::close(socket);
}

void Ring::cancel_streams() {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (!streams_[i] || streams_[i]->waiter == nullptr) continue;
    IoOp* const waiter = std::exchange(streams_[i]->waiter, nullptr);
    waiter->finish(-ECANCELED);
  }
}

}  // namespace precipice
