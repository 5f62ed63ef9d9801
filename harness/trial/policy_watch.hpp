// What policies do over the time of a trial with a trigger: attempts and the knob, slice by slice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/trial/trial_timeline.hpp"
#include "models/policies/attempt_meter.hpp"
#include "models/policies/timeline.hpp"

namespace precipice {

/// Samples from construction until stop. The knob is what an adaptive policy
/// adjusts: a limit, a batch size, a hedge's delay.
class PolicyWatch {
 public:
  /// `chain`: the policies around the meter.
  PolicyWatch(AttemptMeter& meter, const Model& chain, Timeline& timeline, Time from, Time to);
  PolicyWatch(const PolicyWatch&) = delete;
  PolicyWatch& operator=(const PolicyWatch&) = delete;
  ~PolicyWatch() { timeline_.drop(this); }

  /// After the trial: the chain and the meter are not looked at any more.
  void stop();
  /// After stop.
  void fill(TrialTimeline& into) const;

 private:
  static void due(void* self, std::uint64_t slice) noexcept;
  void expect(std::uint64_t slice) noexcept;

  AttemptMeter& meter_;
  const Model& chain_;
  Timeline& timeline_;
  const Time from_;
  const Nanos slice_;
  std::string knob_;
  std::vector<double> values_;
  std::vector<std::uint64_t> begun_;
};

}  // namespace precipice
