// What this machine did not give, in words that say what to do.
#pragma once

#include <string>

namespace precipice {

/// To be called in a catch block of a model's `start`. Passes Unavailable and UsageError on as they
/// are; turns a refusal by the kernel or the allocator (threads, descriptors, memory) into
/// Unavailable with the limit and its cure, and any other std::exception into Unavailable with its
/// text. `what` names what was being made.
[[noreturn]] void throw_unavailable(const std::string& what);

/// The same in a catch block around work of any kind: only what the kernel and the allocator
/// refused becomes Unavailable, everything else passes on as it is.
[[noreturn]] void throw_what_ran_out(const std::string& what);

}  // namespace precipice
