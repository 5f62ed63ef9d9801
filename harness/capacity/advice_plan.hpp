// The question of someone with a service of their own, "does my model carry this load, and which
// would?", as the plan of a campaign.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// A part of a request: its mean time, and how it varies (see Distribution).
struct VaryingTime {
  Nanos mean{0};
  std::string dist = "fixed";
};
/// `4ms`, `exponential(4ms)`, `lognormal(0.5,4ms)`, `pareto(2.5,4ms)`, `bimodal(0.9,1ms,31ms)`: a
/// distribution with its mean as the last argument, except the bimodal one, whose durations have a
/// mean of their own. Throws UsageError that names `what`.
VaryingTime parse_varying_time(std::string_view text, std::string_view what);

struct AdviceQuestion {
  VaryingTime work, wait;
  int waits = 1;          ///< one after the other, each of them as `wait`
  double rate_per_s = 0;  ///< that has to be carried
  Slo slo;
  std::vector<Spec> models;  ///< the reader's; the first is today's
  ClockKind clock = ClockKind::real;
  Nanos budget = std::chrono::seconds(90);
  std::uint64_t seed = 1;
};

/// The rates that are measured, as multiples of the one asked about.
inline constexpr std::array<double, 3> kAdviceLoads = {1, 1.5, 2};

/// Mean requests in service at the rate, by Little's law: rate x (work + waits). A blocking pool
/// needs more threads than this. With oracle models and no work, by the first one's mean.
double busy_at_rate(const AdviceQuestion& question);

/// A pool of `size` threads; on the virtual clock a queue whose servers are held for all of work
/// and waits. Throws UsageError where the oracle has no such service.
Spec pool_of(const AdviceQuestion& question, std::uint64_t size);

/// Threads that a pool of `size` has, or servers of an oracle with one queue; nullopt for models
/// that have no such size.
std::optional<std::uint64_t> pool_size(const Spec& model);

/// Sizes of pools worth measuring: the smallest above busy_at_rate, doubled until its threads could
/// carry twice the highest measured rate or the CPUs are the limit. `cpus`: of the model; 0 where
/// they are no limit, as on the virtual clock.
std::vector<std::uint64_t> pool_sizes(const AdviceQuestion& question, std::size_t cpus);

/// The reader's models first, then pools of these sizes and the models that wait without a thread.
/// CPU sets are left to the caller. Throws UsageError where the question has no answer of this
/// kind.
Plan plan_advice(const AdviceQuestion& question, std::size_t cpus);

}  // namespace precipice
