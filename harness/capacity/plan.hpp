// A suite with every default filled in: what a campaign will do. Made by the suite parser, by
// `capacity`, or by a test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/trial/arrivals.hpp"
#include "harness/trial/transport.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

struct Claim {
  std::string say;   ///< the sentence
  std::string that;  ///< the relation, over summary values
};

/// How badly the twin of an oracle knows its service.
struct TwinError {
  double slower = 1;   ///< the oracle's mean service over the twin's
  double scatter = 0;  ///< standard deviation of the logarithm of a request's service over its draw
};

struct Plan {
  std::string name = "capacity";
  std::uint64_t seed = 1;
  int blocks = 3;
  Slo slo;
  Arrivals arrivals;
  Nanos window = std::chrono::seconds(1);
  /// Not 0: the window is the least one, and longer where that holds fewer requests of work that
  /// computes at saturation, or less than 20.5 times the SLO; at most 4 times `window`.
  std::uint64_t requests = 0;
  Nanos warmup{0};     ///< 0: see resolve_warmup
  bool brief = false;  ///< and `grid` in the first block alone
  Nanos coarse_window = std::chrono::milliseconds(500);
  Nanos drain = std::chrono::seconds(1);
  std::vector<double> refine = {0.80, 0.86, 0.92, 0.98, 1.05, 1.14};
  std::vector<double> overload = {1.2, 1.5};
  std::vector<double> grid = {0.1, 0.3, 0.5, 0.7};
  std::vector<double> rates;  ///< per second: measured in every block, whatever the search finds
  std::vector<RequestClass> classes;  ///< none: all requests are alike
  std::optional<Trigger> trigger;     ///< in the trials at `rates`, which no estimate uses then
  int repeats = 3;                    ///< of an invalid trial
  std::vector<Spec> models;           ///< one per series, lists already expanded
  std::vector<Spec> workloads;
  /// The policies before a model, outer first, by what its series calls them.
  std::map<std::string, std::vector<Spec>> policies;
  /// The servers that models of this text stand for. They are measured on kTargetWorkload, and
  /// nothing else is.
  std::map<std::string, std::shared_ptr<const Target>> targets;
  /// Bounds of single workloads, by the workload's text, where the plan's own does not fit the
  /// work.
  std::map<std::string, Slo> workload_slo;
  /// Series, by their text, that a workload is measured with; a workload that is not here, with
  /// all.
  std::map<std::string, std::set<std::string>> workload_models;
  std::vector<Claim> claims;
  /// Of one CPU for an hour, in any currency; 0: not known, so nothing is said of cost.
  double price_per_cpu_hour = 0;
  Nanos budget{0};  ///< 0: none; else begins no block that would end after it
  /// Half an interval as a share of its value: from the fifth block on (the third, where twins are
  /// used), a cell whose cliff and saturation are known that well gets no further one. 0: all
  /// blocks.
  double precision = 0;
  CpuSet generator_cpus;
  CpuSet model_cpus;
  ClockKind clock = ClockKind::real;
  /// Virtual clock: windows are sized so that a saturated trial has this many requests, whatever S
  /// is, and more where the service varies; 0: the windows above are meant as they stand.
  std::uint64_t virtual_requests = 200'000;
  /// For studies of the estimators: oracles have twins that are wrong by this.
  std::optional<TwinError> oracle_twin;
  std::string only;  ///< not empty: only cells whose "series workload" contains it

  std::vector<Spec> policies_of(const Spec& model) const {
    const auto own = policies.find(policy_name(model));
    return own == policies.end() ? std::vector<Spec>{} : own->second;
  }
  const Slo& slo_of(const Spec& workload) const {
    const auto own = workload_slo.find(workload.to_string());
    return own == workload_slo.end() ? slo : own->second;
  }
  /// The server that a model stands for, or null.
  std::shared_ptr<const Target> target_of(const Spec& model) const {
    const auto own = targets.find(model.to_string());
    return own == targets.end() ? nullptr : own->second;
  }
  bool includes(const Spec& model, const Spec& workload) const {
    if ((target_of(model) != nullptr) != (workload.name == kTargetWorkload)) return false;
    const auto chosen = workload_models.find(workload.to_string());
    if (chosen != workload_models.end() && !chosen->second.contains(model.to_string()))
      return false;
    return only.empty() ||
           (model.to_string() + " " + workload.to_string()).find(only) != std::string::npos;
  }
};

}  // namespace precipice
