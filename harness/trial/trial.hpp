// One (model, workload, rate): what was asked, and everything that was observed.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/host/neighbour.hpp"
#include "harness/stats/batch_means.hpp"
#include "harness/stats/histogram.hpp"
#include "harness/trial/arrivals.hpp"
#include "harness/trial/invalid_reason.hpp"
#include "harness/trial/network_figures.hpp"
#include "harness/trial/target.hpp"
#include "harness/trial/trial_timeline.hpp"
#include "harness/trial/trigger.hpp"
#include "models/cpu_set.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "models/policies/attempt_counts.hpp"
#include "models/request.hpp"

namespace precipice {

/// `fixed_pool:threads=8` taken apart: a registered name and what the user gave for its keys.
struct Spec {
  std::string name;
  std::map<std::string, std::string> given;
  /// Of a series: what the policies before its model are called; "" without any.
  std::string policy{};
  /// Canonical text: name, then the given keys in order, `|` and the policy; used as a label and as
  /// identity in the journal.
  std::string to_string() const;
};

/// Bounds for the gates while no SLO is known (a bare `trial`): as if it were this.
inline constexpr Nanos kAssumedSlo = std::chrono::milliseconds(10);

/// `p99 < 10xS`, `p99<5ms`: a percentile and a bound. A bound in S needs the service time.
struct Slo {
  double percentile = 99;
  double times_service = 0;  ///< > 0: bound = times_service x S
  Nanos bound{0};    ///< used when times_service is 0; 0 means the default of docs/measurement.md
  std::string text;  ///< as the user wrote it; "" for the default
};

/// Requests of one kind: `[[class]]` of a suite. The first class is the one of highest priority.
struct RequestClass {
  std::string name;
  double share = 1;  ///< of the requests
  Nanos slo{0};      ///< a bound of its own; 0: the cell's
};

enum class ClockKind : std::uint8_t { real, virtual_time };

/// Everything that decides a trial. Two equal requests on one machine are repetitions of each
/// other.
struct TrialRequest {
  Spec model;
  std::vector<Spec> policies{};  ///< before the model, outer first
  Spec workload;
  double rate_per_s = 0;     ///< open loop when > 0
  std::uint64_t closed = 0;  ///< closed loop with this many in flight when > 0
  Nanos think{0};            ///< closed loop: pause between completion and the next request
  Nanos window = std::chrono::seconds(1);
  Nanos warmup = std::chrono::milliseconds(300);
  Nanos drain = std::chrono::seconds(1);  ///< longest wait for the backlog after the window
  std::uint64_t seed = 1;
  Arrivals arrivals;
  std::optional<Trigger> trigger{};     ///< what happens in the middle of the window
  std::vector<RequestClass> classes{};  ///< none: all requests are alike
  Nanos slo{0};                         ///< resolved bound in ns for the gates; 0 = none known yet
  double slo_percentile = 99;
  CpuSet generator_cpus;
  CpuSet model_cpus;
  ClockKind clock = ClockKind::real;
  /// The server that `model` names, where it is none of this program's; else null.
  std::shared_ptr<const Target> target{};

  /// Intended arrivals of an open loop, warm-up included, in ns from its start.
  std::vector<std::int64_t> schedule() const;
  /// The class of a request, by its id and the trial's seed; 0 without classes.
  std::uint8_t class_of(std::uint64_t id) const;
  /// What an oracle is made with: its own options, and the stall of a trigger.
  std::map<std::string, std::string> oracle_options() const;
};

struct Counts {
  std::uint64_t scheduled = 0, sent = 0, unsent = 0, completed = 0, failed = 0, shed = 0,
                unfinished = 0;
};

/// Of exact samples; all in ns.
struct Percentiles {
  double mean = 0;
  std::int64_t p50 = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
  bool known = false;  ///< rests on at least one sample; else all are 0 and mean nothing
};

/// Requests of a batch.
struct BatchFigures {
  double mean = 0, p99 = 0;
};

/// What became of the requests of a class that arrived in the window.
struct ClassFigures {
  std::string name;
  std::uint64_t requests = 0, completed = 0;
  Percentiles response;
  std::int64_t slo_percentile_ns = 0;  ///< response at the SLO's percentile
  /// The share that was shed, failed or unfinished.
  double loss() const {
    return requests == 0 ? 0 : 1 - static_cast<double>(completed) / static_cast<double>(requests);
  }
};

/// The result of a trial. Percentiles and counts are over requests whose intended arrival lies
/// inside the window.
struct Trial {
  TrialRequest request;
  double offered_per_s = 0;  ///< scheduled in the window / window (closed loop: issued)
  double goodput_per_s = 0;  ///< completions inside the window with the right digest, / window
  Counts counts;
  std::map<std::string, std::uint64_t> refusals;  ///< by reason
  std::map<int, std::uint64_t> errors;            ///< by errno
  Percentiles response, lag, self_lag, model_lag, submit, residence;
  /// Over sockets: how long a request that was due waited until a connection was free.
  Percentiles connection_wait;
  std::int64_t slo_percentile_ns = 0;  ///< response at request.slo_percentile
  /// The shortest response that the drain's deadline cut off: what is as long or longer,
  /// percentiles included, is a lower bound. None where every request ended.
  std::optional<std::int64_t> response_bound_from_ns;
  BatchScatter response_scatter;  ///< of the responses, in order of intended arrival
  Histogram response_histogram;   ///< unfinished requests included at the drain deadline
  std::vector<Histogram> slices;  ///< of equal length over the window, by intended arrival
  /// CPU time per request. cpu_model_ns is NaN over sockets where the server is on another machine
  /// or shares CPUs with the client.
  double cpu_model_ns = 0, cpu_generator_ns = 0;
  /// Of the model's threads, voluntary and not. NaN where the kernel counts none.
  double context_switches_per_request = std::numeric_limits<double>::quiet_NaN();
  /// During the trial; nullopt where the kernel does not let the high-water mark be reset, as one
  /// since the process began says nothing of a trial.
  std::optional<std::uint64_t> peak_rss_bytes;
  double in_flight_mean = 0, little_error = 0;
  /// Theil-Sen and its lower bound; the lower of 0 and the slope where the growth is tolerated.
  double in_flight_slope_per_s = 0, in_flight_slope_low = 0;
  std::uint64_t backlog = 0;  ///< accepted before the window's end and not ended by then
  double drain_s = 0;  ///< from the window's end until the last of them ended, or the deadline
  /// Taken by the hypervisor from the watched CPUs. NaN where the kernel does not show it.
  double steal_percent = std::numeric_limits<double>::quiet_NaN();
  double steal_ticks = std::numeric_limits<double>::quiet_NaN();
  double cpu_seconds = 0;  ///< watched CPUs x time watched
  /// Longest stall seen by the probes, and by those of all CPUs together. nullopt where stalls
  /// cannot be told from runnable threads.
  std::optional<std::int64_t> hiccup_max_ns, hiccup_all_ns;
  std::map<int, std::int64_t> hiccup_by_cpu_ns;
  /// How long a thread that wakes on the model's CPUs waits for one of them: mean over the probes'
  /// wake-ups in the window, one a millisecond and CPU. NaN where the kernel hides it.
  double run_queue_wait_ns = std::numeric_limits<double>::quiet_NaN();
  OtherProcesses neighbours;  ///< what other processes took of the watched CPUs
  double speed_ns = 0;        ///< time of the machine-speed probe before the trial; 0 = not taken
  std::optional<double> backend_lag_p99_ns, backend_busy;
  std::optional<AttemptFigures> attempts;  ///< what policies made of the requests
  std::optional<BatchFigures> batch;
  std::optional<NetworkFigures> network;  ///< of a trial over sockets
  /// How late the policies' timers were called, 99th percentile.
  std::optional<double> policy_lag_p99_ns;
  std::vector<ClassFigures> classes;      ///< in the order of the request's
  std::optional<TrialTimeline> timeline;  ///< of a trial with a trigger
  std::uint64_t checksum = 0;
  bool stable = false;
  bool valid = false;
  bool drained = false;
  bool no_spin = false;      ///< the generator shared its CPU, so it slept between arrivals
  bool model_fault = false;  ///< wrong digest, lost or duplicated request: not repeated
  std::vector<InvalidReason> invalid_reasons;
  ModelStats model_stats;
  std::string note;
  double elapsed_s = 0;  ///< wall time that the trial took, set-up included

  /// The share of requests that were shed, failed or unfinished.
  double loss() const;
  /// Whether a figure of `response` is a lower bound only.
  bool is_lower_bound(std::int64_t response_ns) const {
    return response_bound_from_ns && response_ns >= *response_bound_from_ns;
  }
};

/// How many requests were cut off at the drain's deadline, and which percentiles are lower bounds
/// for it; "" where every request ended.
std::string cut_off_sentence(const Trial& trial);

}  // namespace precipice
