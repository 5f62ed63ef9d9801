// Multishot accept: one submission per listening socket, and a completion for each connection.
// Needs Linux 5.19; without it each accept is submitted.
#pragma once

#include <cstdint>
#include <deque>

#include "models/io.hpp"

namespace precipice {

/// A listening socket that one loop of this ring accepts from.
struct RingListener {
  int descriptor = -1;
  IoOp* waiter = nullptr;   ///< the loop's accept, which waits for the next connection
  std::deque<int> ahead;    ///< accepted, and not asked for yet
  std::int32_t end = 0;     ///< with ended: -errno
  bool armed = false;       ///< the kernel may still post completions for it
  bool ended = false;       ///< the kernel accepts no more; told once `ahead` is empty
  bool closing = false;     ///< the socket is closed; gone with its last completion
  bool proven = false;      ///< it has accepted something
  bool one_by_one = false;  ///< the kernel does not know it
};

}  // namespace precipice
