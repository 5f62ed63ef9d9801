// The way from a connection through policies to the model: each request of a connection is
// submitted to the chain as a request of its own, and the connection waits for its end.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/serve/request_ids.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/trial.hpp"
#include "models/model.hpp"
#include "models/policies/timer_thread.hpp"
#include "workloads/workload.hpp"

namespace precipice::serve {

/// What became of a request: refused for a reason, or none and an outcome.
struct Asked {
  Refusal why = Refusal::none;
  Outcome outcome;
};

/// Thread-safe from start to shutdown.
class PolicyFront {
 public:
  /// `policies`: outer first, not empty. `requests`: see ServeSettings::policy_requests. Throws
  /// UsageError for 0 of them where a policy numbers requests anew.
  PolicyFront(const std::vector<Spec>& policies, std::uint32_t requests,
              std::unique_ptr<Model> model, Workload& workload, const CpuSet& timer_cpus);

  Model& chain() { return *chain_.model; }
  /// What became of the attempts so far; exact after the chain's shutdown.
  AttemptCounts attempts() const { return chain_.attempts->outside_window(); }
  /// Starts the chain and its model.
  void start(const CpuSet& cpus);
  /// From a connection's coroutine, on its own Io.
  Task<Asked> ask(Io& io, Request request);

 private:
  class Attempts;
  struct Waiting {
    Gate gate{0};
    Asked asked;
  };

  Job job();
  void end(std::uint64_t id, const Asked& asked) noexcept;

  Workload& workload_;
  RequestIds ids_;
  std::vector<Waiting*> waiting_;  ///< by id
  TimerThread timers_;
  PolicyChain chain_;
};

}  // namespace precipice::serve
