// What happens to the load in the middle of a trial, so that the way back can be measured.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trial/arrivals.hpp"
#include "models/request.hpp"

namespace precipice {

/// `stall 500ms at 2s`: all servers of the oracle pause; of a model that executes, requests wait
/// for the end of the stall before they begin their work. `step 1.4x at 2s`, `step 1.4x for 1s at
/// 2s`: the rate is multiplied, to the end of the window or for a time. Times count from the start
/// of the window.
struct Trigger {
  enum class Kind : std::uint8_t { stall, step };

  Kind kind = Kind::stall;
  Nanos at{0};
  Nanos length{0};    ///< 0: to the end of the window
  double factor = 1;  ///< of the rate

  /// Throws UsageError that shows the forms.
  static Trigger parse(std::string_view text);
  /// As parse reads it.
  std::string to_string() const;
  /// The schedule of a trial with this trigger: see Arrivals::schedule. `warmup_ns` lies before the
  /// window.
  std::vector<std::int64_t> schedule(const Arrivals& arrivals, double rate_per_s,
                                     std::int64_t warmup_ns, std::int64_t span_ns,
                                     std::uint64_t seed) const;
};

}  // namespace precipice
