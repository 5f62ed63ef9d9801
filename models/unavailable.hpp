// Why a model cannot start, in words that say what to do.
#pragma once

#include <string>

namespace precipice {

/// To be called in a catch block of a model's `start`. Passes Unavailable and UsageError on as they
/// are; turns what the kernel and the allocator refused (threads, descriptors, memory) into
/// Unavailable with the limit and its cure. `what` names what was being made.
[[noreturn]] void throw_unavailable(const std::string& what);

}  // namespace precipice
