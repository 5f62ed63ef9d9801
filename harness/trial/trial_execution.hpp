// One trial on the real clock in three phases: set up, execute, conclude.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "harness/host/host_watch.hpp"
#include "harness/trial/closed_loop.hpp"
#include "harness/trial/downstreams.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/policy_watch.hpp"
#include "harness/trial/resource_usage.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/stalled_workload.hpp"
#include "harness/trial/trial.hpp"
#include "harness/trial/wake_up_precedence.hpp"
#include "models/in_flight_integral.hpp"
#include "models/model.hpp"
#include "models/policies/attempt_meter.hpp"
#include "models/policies/timer_thread.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// The phases are called once each, in this order, by one thread, which becomes the generator: its
/// affinity and timer slack are left changed. Keeps references to all but the model.
class TrialExecution {
 public:
  TrialExecution(const TrialRequest& request, Workload& workload, std::unique_ptr<Model> model,
                 const std::atomic<bool>* stop);
  TrialExecution(const TrialExecution&) = delete;
  TrialExecution& operator=(const TrialExecution&) = delete;

  /// Memory, schedule, backend and workload; starts the model. `setup` has what the trial does not
  /// decide. `margin`, how early the generator wakes to spin, is measured where it is 0.
  /// `digests`: those of every seed of the workload.
  void set_up(WorkloadSetup setup, Downstreams& downstreams, Nanos& margin,
              std::span<const std::uint64_t> digests);
  /// Offers the load, waits for the drain and shuts the model down.
  void execute();
  /// The figures, and whether they may count.
  Trial conclude(std::span<const std::uint64_t> digests);

 private:
  /// Nothing of the model is at work any more when what its requests use is destroyed.
  class StoppedInTheEnd {
   public:
    explicit StoppedInTheEnd(const std::unique_ptr<Model>& model) : model_(model) {}
    StoppedInTheEnd(const StoppedInTheEnd&) = delete;
    StoppedInTheEnd& operator=(const StoppedInTheEnd&) = delete;
    ~StoppedInTheEnd() {
      if (model_) model_->shutdown(Io::now());
    }

   private:
    const std::unique_ptr<Model>& model_;
  };

  bool open_loop() const { return request_.closed == 0; }
  /// Whether this thread, the generator, can serve the backend too: on one CPU two threads would
  /// take turns, at a switch for nearly every arrival and reply. It must have nothing else to wait
  /// for.
  bool can_serve_backend() const;
  WakeUpPrecedence::Kind precedence() const;
  void count_costs();
  void measure_spans(GateInput& gates) const;

  const TrialRequest& request_;
  Workload& workload_;
  const std::atomic<bool>* const stop_;
  const std::int64_t warmup_ns_, end_ns_, deadline_ns_;
  Nanos margin_{0};
  Trial trial_;

  // What stands below is destroyed before what stands above and is used by it.
  std::optional<TimerThread> timeline_;  ///< of the policies
  AttemptMeter* attempts_ = nullptr;
  std::vector<const Model*> layers_;  ///< of the policies, outer first
  std::unique_ptr<Model> model_;
  std::optional<PolicyWatch> policy_watch_;  ///< of a trial with a trigger
  std::vector<std::int64_t> intended_;
  std::optional<Slots> slots_;
  std::optional<ServedDownstream> downstream_;
  Backend* served_here_ = nullptr;  ///< the backend, if this thread serves it
  InFlightIntegral in_flight_;
  std::optional<StalledWorkload> stalled_;  ///< where the trigger is a stall
  std::optional<InstrumentedJob> observed_;
  std::optional<ClosedLoop> loop_;
  std::optional<StoppedInTheEnd> stopped_in_the_end_;
  std::optional<PeakMemory> peak_memory_;
  std::optional<HostWatch> watch_;

  // What execute() saw.
  ResourceUsage before_, after_offering_, after_;
  std::size_t issued_ = 0;
  CpuSet generator_is_on_;
  HostReport host_;
  double backend_cpu_ns_ = 0;
  bool interrupted_ = false;
};

}  // namespace precipice
