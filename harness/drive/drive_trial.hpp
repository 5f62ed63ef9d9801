// One trial of a server over sockets: the same record, figures and gates as of a model's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "harness/drive/endpoint.hpp"
#include "harness/drive/progress.hpp"
#include "harness/http/url.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// Runs trials of targets one after another. Keeps one address for each, looked up once. Not
/// thread-safe.
class TargetRunner {
 public:
  TargetRunner();
  ~TargetRunner();
  TargetRunner(const TargetRunner&) = delete;
  TargetRunner& operator=(const TargetRunner&) = delete;

  /// Ends a trial early when it becomes true; such a trial is invalid (interrupted).
  void set_stop(const std::atomic<bool>* stop) { stop_ = stop; }
  /// Called by the thread that runs the trial, on the server's CPUs, with each second that has
  /// passed since its epoch, warm-up included.
  using OnSecond = std::function<void(int second, const SecondTally&)>;
  void set_on_second(OnSecond on_second) { on_second_ = std::move(on_second); }

  /// Of `request.target`, with new connections. The client's threads are on the generator's CPUs;
  /// the model's are those that the server may be on, as far as it is on this machine. Throws
  /// UsageError (a target that cannot be, a rate above its bound, a target elsewhere without one)
  /// or Unavailable: no connection, no memory.
  Trial run(const TrialRequest& request);
  /// S: the time on the wire of requests one after another on one connection, for about 0.3 s, or
  /// longer where that is fewer than 40. Throws as `run`, and Unavailable when one fails.
  Calibration calibrate(const Target& target, const CpuSet& generator_cpus);

 private:
  struct Known;
  const Known& known(const Target& target);

  const std::atomic<bool>* stop_ = nullptr;
  OnSecond on_second_;
  Nanos spin_margin_{0};
  std::vector<std::unique_ptr<Known>> known_;
};

/// Throws UsageError that names what cannot be: the URL, a header, the method, more threads than
/// connections.
void check_target(const Target& target);

}  // namespace precipice
