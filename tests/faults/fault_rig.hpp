// A model under faults: requests go in by number, every one must come out as exactly one counted
// outcome, and a watchdog says which did not.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/slots.hpp"
#include "models/in_flight_integral.hpp"
#include "models/model.hpp"
#include "models/policies/timer_thread.hpp"
#include "workloads/workload.hpp"

namespace precipice::testing {

struct FaultVariant {
  std::string label;
  std::string model;
  std::map<std::string, std::string> given{};
  std::string policies{};  ///< around it, as parse_policies reads them

  bool blocks() const;          ///< a waiting request holds a thread
  bool runs_in_submit() const;  ///< inline
};
inline void PrintTo(const FaultVariant& variant, std::ostream* out) { *out << variant.label; }

/// Every model in every variant that runs differently. Small pools, so that requests queue.
const std::vector<FaultVariant>& fault_variants();
std::string fault_label(const ::testing::TestParamInfo<FaultVariant>& each);

/// How the requests of a bench ended.
struct Ends {
  std::uint64_t completed = 0, failed = 0, shed = 0, open = 0, more_than_once = 0;
  std::map<int, std::uint64_t> errors;       ///< failed, by errno
  std::map<Refusal, std::uint64_t> reasons;  ///< shed
};

class FaultBench;
using Body = Task<Outcome> (*)(FaultBench& bench, Io& io, Request request);

/// Aborts with the state of the bench when its test has not ended within 60 s: far beyond any stall
/// of a machine, so that only a hang gets there.
class Watchdog {
 public:
  explicit Watchdog(const FaultBench& bench);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

class FaultBench {
 public:
  /// `body` is what a request does.
  FaultBench(const FaultVariant& variant, std::size_t requests, Body body,
             const std::map<std::string, std::string>& more = {});
  /// `workload` has been prepared and outlives the bench.
  FaultBench(const FaultVariant& variant, std::size_t requests, Workload& workload,
             const std::map<std::string, std::string>& more = {});
  ~FaultBench();

  void start() { model->start(setup); }
  /// One request, from any thread; a refusal on the spot is recorded as its end.
  Refusal submit(std::uint64_t id);
  void submit_all() { submit_range(0, slots.size()); }
  void submit_range(std::uint64_t first, std::uint64_t last);
  /// Waits until so many have ended.
  void wait_ended(std::uint64_t number) const;
  /// Waits until a counter that requests raise has come so far.
  static void wait_for(const std::atomic<std::uint64_t>& counter, std::uint64_t least);
  void shutdown_drained() { model->shutdown(Io::now() + std::chrono::hours(1)); }
  void shutdown_now() { model->shutdown(Io::now()); }

  /// After shutdown: fails the test unless everything that was offered ended exactly once.
  Ends ends() const;
  /// A figure of the model, or -1.
  double stat(const std::string& name) const;
  std::string missing() const;

  /// Of the policies; stopped by the shutdown, like the model.
  std::unique_ptr<TimerThread> timeline;
  std::unique_ptr<Model> model;
  ModelSetup setup;
  Slots slots;
  InFlightIntegral in_flight;
  /// Called on the executing thread just before the request's frame is made.
  void (*before_frame)(FaultBench& bench, const Request& request) = nullptr;

  // For bodies and tests.
  std::atomic<std::uint64_t> offered{0};
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::atomic<bool>> ready;  ///< by request
  std::unique_ptr<Gate> gate;
  std::vector<int> descriptors;
  int mode = 0;

 private:
  class BodyWorkload;
  void set_up(const FaultVariant& variant, Workload& workload,
              const std::map<std::string, std::string>& more);

  std::unique_ptr<Workload> own_;
  std::unique_ptr<InstrumentedJob> observed_;
  std::vector<std::atomic<bool>> was_offered_;
  std::unique_ptr<Watchdog> watchdog_;
};

/// For EXPECT_EXIT of a threadsafe death test: runs `body` in that process of its own and exits
/// with 0 when no expectation has failed. oneTBB keeps its threads, and what a fault left of them,
/// until the process ends.
[[noreturn]] void alone(void (*body)(const FaultVariant&), const FaultVariant& variant);

}  // namespace precipice::testing
