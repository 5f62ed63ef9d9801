// The most that one trial can hold.
#pragma once

#include <cstdint>

namespace precipice {

/// More requests than this are not kept in one trial (slots of 64 bytes).
inline constexpr std::uint64_t kMaxRequests = 50'000'000;

}  // namespace precipice
