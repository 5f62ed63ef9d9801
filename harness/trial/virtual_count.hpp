// A number of requests on the virtual clock, and its time integral.
#pragma once

#include <cstdint>

namespace precipice {

/// Integrated from one event to the next, by the unrounded times of the events: exact but for the
/// rounding of doubles. For one thread.
class VirtualCount {
 public:
  /// `at_ns`: not before the last step.
  void step(double at_ns, int change) noexcept {
    integral_ns_ += static_cast<double>(count_) * (at_ns - last_ns_);
    last_ns_ = at_ns;
    count_ += change;
  }
  std::int64_t count() const noexcept { return count_; }
  /// Up to the last step.
  double integral_ns() const noexcept { return integral_ns_; }

 private:
  std::int64_t count_ = 0;
  double integral_ns_ = 0, last_ns_ = 0;
};

}  // namespace precipice
