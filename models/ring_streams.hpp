// Multishot receive: one submission per socket, and a completion for whatever arrives, in memory
// that the ring provides. A request that asks for bytes finds them there or waits for the next
// completion; the kernel is not asked again. Of Linux 6.0, and used from 6.1 on, which every ring
// with deferred task work has; without it each recv is submitted.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/io.hpp"

namespace precipice {

/// Memory that the kernel takes for what it receives, in pieces that are given back. Of one ring,
/// and of its thread.
class ReceiveBuffers {
 public:
  static constexpr unsigned kCount = 256;
  static constexpr std::size_t kBytes = 4096;
  static constexpr std::uint16_t kGroup = 0;
  static constexpr std::uint16_t kNone = 0xffff;

  /// A piece that has arrived, in the list of its stream.
  struct Piece {
    std::uint32_t offset = 0, bytes = 0;
    std::uint16_t next = kNone;
  };

  /// Registers the memory. False: the kernel refuses, or there is none.
  bool open(io_uring& ring);
  bool is_open() const { return entries_ != nullptr; }
  /// After the kernel has ended every receive.
  void close(io_uring& ring) noexcept;

  const std::byte* data(std::uint16_t id) const { return memory_.get() + id * kBytes; }
  Piece& piece(std::uint16_t id) { return pieces_[id]; }
  void give_back(std::uint16_t id) noexcept;

 private:
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  std::unique_ptr<io_uring_buf_ring, Free> entries_;
  std::unique_ptr<std::byte, Free> memory_;
  std::vector<Piece> pieces_;
};

/// What arrives on one socket.
struct RingStream {
  IoOp* waiter = nullptr;  ///< a recv that waits for the next completion; not in the kernel
  std::uint16_t first = ReceiveBuffers::kNone, last = ReceiveBuffers::kNone;
  std::uint16_t held = 0;   ///< pieces from first to last
  std::int32_t end = 0;     ///< with ended: 0 or -errno
  bool armed = false;       ///< the kernel may still post completions for it
  bool ended = false;       ///< nothing more will arrive
  bool stopping = false;    ///< the kernel has been asked to post no more
  bool closing = false;     ///< the socket is closed; gone with its last completion
  bool one_by_one = false;  ///< this socket does not take to it
  bool seen = false;        ///< it has been received from before
  bool unanswered = false;  ///< nothing was sent since something arrived
};

}  // namespace precipice
