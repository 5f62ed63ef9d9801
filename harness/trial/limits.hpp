// The most that one trial can hold.
#pragma once

#include <chrono>
#include <cstdint>

namespace precipice {

/// No suite's window is longer, and none has to be: bursts repeat within it.
inline constexpr std::chrono::nanoseconds kLongestWindow = std::chrono::hours(1);

/// The most requests of one trial: at 48 bytes each (Slot and Sent), their records take 2.4 GB.
inline constexpr std::uint64_t kMaxRequests = 50'000'000;

}  // namespace precipice
