// The job that a model runs for a server: a request of the model is one connection, from its first
// byte to its last, and the model decides what it costs to wait in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/serve/connection_table.hpp"
#include "harness/serve/policy_front.hpp"
#include "harness/serve/server_metrics.hpp"
#include "harness/serve/session.hpp"
#include "models/job.hpp"
#include "workloads/workload.hpp"

namespace precipice::serve {

/// Outlives every connection. Thread-safe.
class Service {
 public:
  Service(Workload& workload, const SessionLimits& limits, ConnectionTable& table,
          ServerMetrics& metrics, unsigned executors, std::function<std::string()> metrics_page);
  ~Service();

  Job job();
  /// The model's request for a connection: its id names the place, and its executor to models that
  /// choose by (id + attempt) % executors.
  Request request_for(const Slot& slot) const;
  /// Answers 503 as far as that goes without waiting, closes the descriptor and frees the place. An
  /// idle connection is closed without an answer.
  void turn_away(Slot& slot) noexcept;

  /// From now on the work of requests goes through policies.
  void ask_through(PolicyFront& front) { front_ = &front; }
  /// From now on idle connections are handed to `park`, and no longer run in the model. It answers
  /// false where that failed.
  void park_by(std::function<bool(Slot&)> park) { park_ = std::move(park); }

  /// From now on every answer is the last of its connection.
  void end() noexcept { ending_.store(true, std::memory_order_relaxed); }
  bool ending() const noexcept { return ending_.load(std::memory_order_relaxed); }
  /// Connections that the model refused, or that turn_away met.
  std::uint64_t turned_away() const noexcept {
    return turned_away_.load(std::memory_order_relaxed);
  }

 private:
  class Host;

  static Task<void> run(void* self, Io& io, Request request);
  static void refuse(void* self, const Request& request, Refusal why) noexcept;
  Slot& slot_of(const Request& request) noexcept { return table_.at(request.id / executors_); }

  Workload& workload_;
  const SessionLimits limits_;
  ConnectionTable& table_;
  ServerMetrics& metrics_;
  const unsigned executors_;
  const std::function<std::string()> metrics_page_;
  std::function<bool(Slot&)> park_;
  PolicyFront* front_ = nullptr;
  std::vector<Host> hosts_;  ///< one per executor
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> turned_away_{0};
};

/// Answers 503 as far as that goes without waiting, and closes the descriptor.
void turn_away(int fd) noexcept;

}  // namespace precipice::serve
