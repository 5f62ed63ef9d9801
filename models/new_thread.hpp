// The one place where a thread begins.
#pragma once

#include <string>
#include <thread>
#include <utility>

#include "models/unavailable.hpp"

namespace precipice {

/// A thread that calls `body`. Throws Unavailable, which names the limit that was in its way, at
/// the moment when that limit can still be seen to be used up. `what` names the thread. An
/// exception that leaves `body` ends the process, as ever: it keeps its own.
template <class Body>
std::thread new_thread(const std::string& what, Body&& body) {
  try {
    return std::thread(std::forward<Body>(body));
  } catch (...) {
    throw_unavailable(what);
  }
}

}  // namespace precipice
