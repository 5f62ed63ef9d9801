// The most that one trial can hold.
#pragma once

#include <chrono>
#include <cstdint>

namespace precipice {

/// No suite's window is longer, and none has to be: bursts repeat within it.
inline constexpr std::chrono::nanoseconds kLongestWindow = std::chrono::hours(1);

/// More requests than this are not kept in one trial (slots of 64 bytes).
inline constexpr std::uint64_t kMaxRequests = 50'000'000;

}  // namespace precipice
