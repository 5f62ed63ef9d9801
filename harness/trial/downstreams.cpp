#include "harness/trial/downstreams.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "harness/trial/process_family.hpp"

namespace precipice {

DownstreamServer& Downstreams::running(Downstream which, const CpuSet& cpus,
                                       const std::function<void()>& may_give_up) {
  std::unique_ptr<DownstreamServer>& server = servers_[which];
  if (server && server->running()) {
    server->place_on(cpus);
  } else {
    server.reset();
    server = std::make_unique<DownstreamServer>(which, cpus, may_give_up);
  }
  return *server;
}

ServedDownstream::ServedDownstream(Downstreams& downstreams, const Workload& workload,
                                   const CpuSet& cpus, WorkloadSetup& setup, BackendThread thread)
    : cpus_(std::max<std::size_t>(1, cpus.size())), shared_cpus_(cpus_) {
  switch (const Downstream which = workload.downstream()) {
    case Downstream::none:
      // On other CPUs it takes time from the model, as any neighbour does.
      if (const auto address = workload.server()) process_ = process_listening_on(*address);
      if (process_ && !is_bound_to(*process_, cpus)) process_.reset();
      break;
    case Downstream::rpc:
      backend_.emplace(cpus, thread);
      setup.backend = backend_->address();
      break;
    case Downstream::redis:
      cpus_ = 1;  // one thread executes all commands
      [[fallthrough]];
    case Downstream::postgres:
      server_ = &downstreams.running(which, cpus, setup.may_give_up);
      server_->enter_into(setup);
      process_ = server_->pid();
      break;
  }
}

void ServedDownstream::begin_interval() {
  if (backend_) backend_->begin_interval();
  if (!process_) return;
  begun_ns_ = monotonic_ns();
  begun_cpu_ns_ = family_cpu_ns(*process_);
}

void ServedDownstream::end_offering(double generator_cpu_ns) {
  if (!process_) return;
  const double both_ns = std::max(0.0, family_cpu_ns(*process_) - begun_cpu_ns_) + generator_cpu_ns;
  const auto elapsed_ns = static_cast<double>(monotonic_ns() - begun_ns_);
  if (both_ns <= 0 || elapsed_ns <= 0) return;
  shared_cpus_busy_ = std::min(1.0, both_ns / elapsed_ns / static_cast<double>(shared_cpus_));
  generator_share_ = generator_cpu_ns / both_ns;
}

bool ServedDownstream::runs() const {
  if (server_ != nullptr) return server_->running();
  return kill(*process_, 0) == 0 || errno == EPERM;
}

std::optional<BackendReport> ServedDownstream::report() {
  if (backend_) return backend_->report();
  if (!process_) return std::nullopt;
  BackendReport result;
  result.own_process = true;
  result.stopped = !runs();
  if (result.stopped) return result;
  result.shared_cpus_busy = shared_cpus_busy_;
  result.generator_share = generator_share_;
  result.cpu_ns = std::max(0.0, family_cpu_ns(*process_) - begun_cpu_ns_);
  const auto elapsed_ns = static_cast<double>(monotonic_ns() - begun_ns_);
  if (elapsed_ns > 0)
    result.busy = std::min(1.0, result.cpu_ns / elapsed_ns / static_cast<double>(cpus_));
  return result;
}

}  // namespace precipice
