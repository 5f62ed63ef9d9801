// Short trials of a server over sockets, for tests.
#pragma once

#include <memory>
#include <string>

#include "harness/drive/drive_trial.hpp"
#include "harness/trial/trial.hpp"

namespace precipice::testing {

inline Target target_at(const std::string& url, std::uint32_t connections = 8) {
  Target target;
  target.name = "tested";
  target.url = url;
  target.connections = connections;
  return target;
}

/// Without a warm-up, so that the counts are of all requests. An open loop where `rate_per_s` is
/// above 0.
inline TrialRequest request_to(const Target& target, double rate_per_s, std::uint64_t closed = 0) {
  TrialRequest request;
  request.model = Spec{target.name, {}};
  request.workload = Spec{std::string(kTargetWorkload), {}};
  request.target = std::make_shared<const Target>(target);
  request.rate_per_s = rate_per_s;
  request.closed = closed;
  request.arrivals = Arrivals::parse("fixed");
  request.warmup = Nanos(0);
  request.window = std::chrono::milliseconds(400);
  request.drain = std::chrono::minutes(5);  // whatever else runs here
  const CpuSet allowed = CpuSet::of_this_thread();
  request.generator_cpus = CpuSet({allowed.list().front()});
  request.model_cpus = allowed;
  return request;
}

inline Trial drive(const TrialRequest& request) {
  TargetRunner runner;
  return runner.run(request);
}
inline Trial drive(const Target& target, double rate_per_s, std::uint64_t closed = 0) {
  return drive(request_to(target, rate_per_s, closed));
}

}  // namespace precipice::testing
