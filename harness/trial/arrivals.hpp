// When requests arrive: a unit-rate sequence from a seed, scaled to the rate, computed before the
// trial.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace precipice {

/// How requests arrive: `poisson`, `fixed`, `uniform` (independent gaps, uniform on 0 to 2 means),
/// `bursts(on,off)` (Poisson at rate x (on + off) / on during `on`, silent during `off`;
/// durations), `trace(FILE)` (one arrival time in seconds a line, ascending; scaled to the rate).
class Arrivals {
 public:
  /// Throws UsageError that lists the processes.
  static Arrivals parse(std::string_view text);
  std::string to_string() const { return text_; }
  /// FILE of a trace, "" for the other processes.
  std::string trace_file() const;
  /// Whether these are the times of a trace, from 0 on at a mean rate of 1.
  bool has_times(const std::vector<double>& times) const { return trace_ == times; }
  /// The same times under another FILE; for the other processes, the same.
  Arrivals with_trace_file(const std::string& name) const;
  /// Equal for those that give the same schedules: a trace is known by its times and not by where
  /// it lies or what it is called.
  std::string identity() const;

  /// Arrival times in nanoseconds from 0, ascending, all below `span_ns`. The same seed gives the
  /// same unit-rate sequence at every rate (bursts excepted, whose on and off are times, not
  /// counts). Throws UsageError when rate x span would exceed kMaxRequests.
  std::vector<std::int64_t> schedule(double rate_per_s, std::int64_t span_ns,
                                     std::uint64_t seed) const;

  /// On and off of bursts together; 0 for other processes and bursts without a pause.
  std::chrono::nanoseconds burst_cycle() const;
  /// What repeats: the cycle of bursts, a pass of a trace at this rate; 0 for a process without
  /// one.
  std::chrono::nanoseconds cycle(double rate_per_s) const;
  /// How many cycles a window holds; infinity without one.
  double cycles(double rate_per_s, std::chrono::nanoseconds window) const;
  /// The window, made longer to a whole number of cycles if it holds one at least.
  std::chrono::nanoseconds whole_cycles(double rate_per_s, std::chrono::nanoseconds window) const;
  /// The arrivals expected from `from_ns` to `to_ns` of the schedule as a share of rate x time: 1
  /// but where part of a cycle is cut out.
  double offered_share(double rate_per_s, std::int64_t from_ns, std::int64_t to_ns) const;

 private:
  enum class Process { poisson, fixed, uniform, bursts, trace };
  Process process_ = Process::poisson;
  std::string text_ = "poisson";
  std::int64_t on_ns_ = 0, off_ns_ = 0;
  std::vector<double> trace_;  ///< unit-rate arrival times of a trace
};

/// The seed that request `id` of a schedule carries: below kTabulatedSeeds.
std::uint32_t request_seed(std::uint64_t schedule_seed, std::uint64_t id);

}  // namespace precipice
