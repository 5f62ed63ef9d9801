// What became of the attempts that policies made, and how long they executed.
#pragma once

#include <cstdint>
#include <limits>

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

/// The same with the times for which the model executed them. NaN: not known.
struct AttemptFigures : AttemptCounts {
  /// How many executed at once: mean over the window.
  double executing_mean = std::numeric_limits<double>::quiet_NaN();
  /// From the begin of execution to the end, of those that began and were not cancelled.
  double execution_mean_ns = std::numeric_limits<double>::quiet_NaN();
  /// Little's law over attempts: between both sides of AttemptExecution.
  double little_error = std::numeric_limits<double>::quiet_NaN();
};

/// Both sides of Little's law over attempts, of all of them: inside the window and outside.
struct AttemptExecution {
  double stamps_ns = 0;        ///< sum of end - begin, by each attempt's own stamps
  double integral_ns = 0;      ///< time integral of a separate counter of those that execute
  std::int64_t executing = 0;  ///< what that counter shows
};

}  // namespace precipice
