// Makes one trial happen: workload, backend, model, generator, watch, verdict.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/trial/calibration.hpp"
#include "harness/trial/downstreams.hpp"
#include "harness/trial/trial.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// Runs trials one after another, keeping what they share: prepared workloads, digest tables, the
/// spin margin, the servers of workloads. Not thread-safe; the calling thread becomes the generator
/// and its affinity is restored after each trial.
class TrialRunner {
 public:
  /// `scratch_directory` holds the file workload's file; it is made when that needs it.
  explicit TrialRunner(std::string scratch_directory);
  ~TrialRunner();
  TrialRunner(const TrialRunner&) = delete;
  TrialRunner& operator=(const TrialRunner&) = delete;

  /// Set from a signal handler's flags. `stop` ends a trial early: the offering, the drain, and
  /// waits inside submit; such a trial is invalid (interrupted). `wanted`, which may come before
  /// it, gives up preparations and calibrations, which then throw Interrupted.
  void set_stop(const std::atomic<bool>* stop, const std::atomic<bool>* wanted = nullptr) {
    stop_ = stop;
    stop_wanted_ = wanted;
  }
  /// Makes the models of all further trials in place of the registry: for models that are not in
  /// it, such as faulty ones that a test hands in.
  void set_model_maker(std::function<std::unique_ptr<Model>(const TrialRequest&)> maker) {
    model_maker_ = std::move(maker);
  }
  /// Throws UsageError (unknown names, a rate out of range, clashing settings) or Unavailable: also
  /// when threads, descriptors or memory run out, be it in the middle of it.
  Trial run(const TrialRequest& request);
  /// S of a workload on `inline`, unloaded, on the calling thread pinned to `model_cpus`: see
  /// calibrate_service. Up to three times where a CPU quota throttled it; `valid` is false if it
  /// throttled all. Throws UsageError, Unavailable and Interrupted.
  Calibration calibrate(const Spec& workload, const CpuSet& model_cpus);
  /// Of every seed, from `inline`. Throws as run.
  const std::vector<std::uint64_t>& digests_of(const Spec& workload);

 private:
  struct Prepared;
  Prepared& prepared(const Spec& workload);
  Trial run_here(const TrialRequest& request);
  Calibration calibrate_here(const Spec& workload, const CpuSet& model_cpus);
  std::function<void()> may_give_up() const;

  std::string scratch_directory_;
  Downstreams downstreams_;
  std::map<std::string, std::unique_ptr<Prepared>> prepared_;
  const std::atomic<bool>* stop_ = nullptr;
  const std::atomic<bool>* stop_wanted_ = nullptr;
  Nanos spin_margin_{0};
  std::function<std::unique_ptr<Model>(const TrialRequest&)> model_maker_;
};

/// Where files for the file workload go when nothing else is said: $PRECIPICE_SCRATCH, else the
/// user's cache by $XDG_CACHE_HOME or $HOME, else /var/tmp/precipice.
std::string default_scratch_directory();

}  // namespace precipice
