// How a backend measures itself: the lags of its replies and the time that it is busy. The serving
// thread records without a lock and publishes when it has nothing else to do; any thread reports.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

#include "harness/stats/histogram.hpp"
#include "harness/trial/rpc_backend_report.hpp"
#include "models/request.hpp"

namespace precipice {

class BackendMeter {
 public:
  explicit BackendMeter(bool own_thread) : own_thread_(own_thread) {}

  /// Whose CPU time counts. Before any report.
  void serving_thread(pthread_t thread);

  // From any thread.
  void begin_interval();
  /// All but `stopped`. Throws what the serving thread died of.
  BackendReport report() const;

  // From the serving thread.
  /// Time since `since` went into a look at the sockets or a step of a request. Returns the time.
  Time worked(Time since);
  void polls() { polls_ = true; }
  void answered(std::int64_t lag_ns) { lags_now_.push_back(lag_ns); }
  void refused() { ++refused_now_; }
  void open_connections(std::uint64_t count) { open_ = count; }
  std::size_t unpublished() const { return lags_now_.size(); }
  void publish();
  void died(std::exception_ptr cause);

 private:
  Nanos cpu_time() const;
  Nanos work() const { return Nanos(work_ns_.load(std::memory_order_relaxed)); }

  const bool own_thread_;
  std::optional<clockid_t> clock_;  ///< CPU time of the serving thread

  // The serving thread's own.
  std::vector<std::int64_t> lags_now_;
  std::uint64_t refused_now_ = 0, open_ = 0, open_published_ = 0;

  std::atomic<std::int64_t> work_ns_{0};  ///< on replies, requests and polls that found something
  std::atomic<bool> polls_{false};        ///< so that CPU time does not tell what is work

  mutable std::mutex mutex_;  // guards what follows
  Histogram lags_;
  std::uint64_t refused_ = 0;
  std::uint64_t connections_ = 0;
  std::exception_ptr failure_;  ///< what it died of: no memory
  Time interval_begin_{};
  Nanos cpu_begin_{0}, work_begin_{0};
};

}  // namespace precipice
