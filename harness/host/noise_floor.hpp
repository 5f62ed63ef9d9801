// What a machine does to a trial when nothing is measured on it: the floor below which no service
// level can be told from noise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/host/host_watch.hpp"
#include "harness/host/neighbour.hpp"
#include "harness/json.hpp"
#include "models/request.hpp"

namespace precipice {

/// What a generator that offers to nobody, and a watch of all CPUs, saw for a short while.
struct NoiseSamples {
  struct Stall {
    int cpu = 0;
    std::int64_t at_ns = 0;  ///< when the probe's sleep was to end, on the steady clock
    std::int64_t length_ns = 0;
  };
  struct Lag {
    std::int64_t at_ns = 0;  ///< intended, on the steady clock
    std::int64_t late_ns = 0;
  };
  double watched_s = 0;
  int cpus = 0;
  std::vector<Stall> stalls;
  std::vector<Lag> self_lags;
  double steal_ticks = 0, steal_percent = 0;  ///< over all watched CPUs; NaN where not shown
  std::optional<std::uint64_t> throttled_periods;
  OtherProcesses others{.took_ns = kNotShown};  ///< other processes on the watched CPUs
  std::string not_judged;                       ///< see HostReport
};

/// Of samples; pure. A trial is lost to noise when a stall or a lag of the generator exceeds half
/// its SLO, or when the 99th percentile of the lag exceeds max(50 us, 2% of the SLO). Time is
/// divided into parts of 10 ms, the span within which stalls of several CPUs are one event of the
/// host; parts are taken as independent, so bursty noise loses somewhat fewer trials than said. The
/// percentile of a window is judged by the normal approximation to its share of late arrivals,
/// because a short look that met one preemption says little of it.
class NoiseFloor {
 public:
  static constexpr double kEnoughValid = 0.5;  ///< share of the trials; see smallest_slo

  NoiseFloor() = default;
  explicit NoiseFloor(const NoiseSamples& samples);

  /// The share of windows of this length that noise alone makes invalid, 0 to 1.
  double lost_share(double slo_ns, Nanos window) const;
  /// The part of it that is the percentile of the generator's lag alone.
  double lost_to_lag(double slo_ns, Nanos window) const;
  /// The smallest SLO of which at least half of the trials are valid; nullopt when none is (steal).
  /// Half, because an invalid trial is repeated up to 3 times: then 15 of 16 probes get a valid
  /// one, and a search still finds its way at a bearable price.
  std::optional<Nanos> smallest_slo(Nanos window) const;
  /// The S whose default SLO, 10 S, that is.
  std::optional<Nanos> smallest_service(Nanos window) const;

  double watched_s() const { return watched_s_; }
  std::int64_t self_lag_p99_ns() const { return self_lag_p99_ns_; }
  std::int64_t self_lag_max_ns() const { return self_lag_max_ns_; }
  double steal_percent() const { return steal_percent_; }  ///< NaN where it is not shown
  std::optional<std::uint64_t> throttled_periods() const { return throttled_periods_; }
  /// What other processes used of the watched CPUs; `took_ns` is NaN where that is not known.
  const OtherProcesses& others() const { return others_; }
  /// What the kernel does not show here, as a list of words, or "".
  const std::string& not_judged() const { return not_judged_; }
  /// Steal alone exceeds the gate's one tick per CPU-second, by enough ticks to be no accident.
  bool lost_to_steal() const { return lost_to_steal_; }
  struct CpuStall {
    int cpu = 0;
    std::int64_t longest_ns = 0;
  };
  const std::vector<CpuStall>& longest_stalls() const { return longest_; }

 private:
  double watched_s_ = 0;
  std::vector<std::int64_t> parts_;              ///< the longest stall of every 10 ms, descending
  std::vector<std::vector<std::int64_t>> lags_;  ///< of the generator, by part
  std::int64_t self_lag_p99_ns_ = 0, self_lag_max_ns_ = 0;
  double steal_percent_ = 0;
  std::optional<std::uint64_t> throttled_periods_;
  OtherProcesses others_{.took_ns = kNotShown};
  std::string not_judged_;
  bool lost_to_steal_ = false;
  std::vector<CpuStall> longest_;
};

/// {"watched_s","window_s","smallest_slo_ns","smallest_service_ns","self_lag_p99_ns",
/// "self_lag_max_ns","steal_percent","throttled_periods","stalls":[{"cpu","longest_ns"}],
/// "lost_share":[{"slo_ns","share"}]}.
Json to_json(const NoiseFloor& floor, Nanos window);

}  // namespace precipice
