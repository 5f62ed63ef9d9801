// One trial over sockets in three phases, as TrialExecution has them: set up, execute, conclude.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "harness/drive/client_loop.hpp"
#include "harness/drive/endpoint.hpp"
#include "harness/drive/progress.hpp"
#include "harness/drive/request_text.hpp"
#include "harness/drive/slow_crowd.hpp"
#include "harness/drive/tls.hpp"
#include "harness/host/host_watch.hpp"
#include "harness/trial/resource_usage.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial.hpp"
#include "models/in_flight_integral.hpp"

namespace precipice {

/// The phases are called once each, in this order, by one thread, which only watches: the client's
/// threads are its own. Keeps references.
class DriveExecution {
 public:
  DriveExecution(const TrialRequest& request, const Endpoint& endpoint, const TlsContext* tls,
                 RequestText text, RequestText last_text, const std::atomic<bool>* stop);
  DriveExecution(const DriveExecution&) = delete;
  DriveExecution& operator=(const DriveExecution&) = delete;

  /// Checks memory, allocates the slots and makes the schedule. `margin`: as in GeneratorOptions.
  /// Throws Unavailable.
  void set_up(Nanos margin);
  /// Opens the connections, then offers the load. `on_second`, if any: as in TargetRunner. Throws
  /// Unavailable when a connection cannot be made, and Interrupted.
  void execute(const std::function<void(int, const SecondTally&)>& on_second);
  Trial conclude();

 private:
  bool open_loop() const { return request_.closed == 0; }
  ClientLoop::Share share_of(std::uint32_t thread) const;
  void count_costs();
  void fill_network();

  const TrialRequest& request_;
  const Target& target_;
  const Endpoint& endpoint_;
  const std::atomic<bool>* const stop_;
  const std::int64_t warmup_ns_, end_ns_, deadline_ns_;
  RequestText text_, last_text_;
  Trial trial_;
  std::vector<std::int64_t> intended_;
  std::optional<Slots> slots_;
  InFlightIntegral in_flight_;
  std::atomic<std::size_t> next_id_{0};
  ClientSettings settings_;
  std::vector<std::unique_ptr<ClientLoop>> loops_;
  std::vector<ClientReport> reports_;
  std::optional<SlowCrowd> slow_;
  SlowReport slow_report_;
  std::optional<PeakMemory> peak_memory_;
  std::optional<HostWatch> watch_;
  HostReport host_;
  std::optional<std::uint64_t> overflows_before_, overflows_after_;
  double process_cpu_ns_ = 0;
  bool interrupted_ = false;
};

}  // namespace precipice
