// What became of the attempts that policies made.
#pragma once

#include <cstdint>

namespace precipice {

/// begun = the sum of the others, once all have ended.
struct AttemptCounts {
  std::uint64_t begun = 0;       ///< handed to the model
  std::uint64_t won = 0;         ///< succeeded, and ended its request
  std::uint64_t lost = 0;        ///< succeeded after its request had ended
  std::uint64_t failed = 0;      ///< ended with an error
  std::uint64_t cancelled = 0;   ///< ended before it executed, as another one had begun
  std::uint64_t refused = 0;     ///< by the model
  std::uint64_t unfinished = 0;  ///< cut off by the shutdown

  std::uint64_t ended() const { return won + lost + failed + cancelled + refused + unfinished; }
};

}  // namespace precipice
