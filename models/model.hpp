// An executor: how requests are run. One implementation is one .cpp and one line in the registry.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/cpu_set.hpp"
#include "models/io.hpp"
#include "models/job.hpp"
#include "models/options.hpp"
#include "models/request.hpp"

namespace precipice {

/// Everything a model is given besides its options.
struct ModelSetup {
  CpuSet cpus;  ///< the only CPUs its threads may run on; never empty
  Job job;
  std::vector<int> files;  ///< descriptors that requests will read, for engines that register them
  std::size_t block_bytes = 4096;  ///< the size most leases will have
  /// True once what waits is to end early. For a model that runs requests inside submit, or that
  /// takes long to start: the thread that would call shutdown is the one that waits there.
  const std::atomic<bool>* cut_short = nullptr;
  /// Ids are below this, and each has at most `attempts` attempts: what policies size their tables
  /// by. A model needs neither.
  std::uint64_t requests = 0;
  std::uint32_t attempts = 1;
};

/// A named figure of the engine underneath, for explaining a cliff: threads, queue depth, batch
/// size, ...
using ModelStats = std::vector<std::pair<std::string, double>>;

/// Lifetime: construct with options, start once, submit while running, shutdown once, destroy.
/// submit may be called by several threads at once, also from inside a request; start and shutdown
/// by one.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  /// Number of Io objects (see Io::executor), known before start for a given CPU set.
  virtual unsigned executors(const CpuSet& cpus) const = 0;
  /// Creates threads, queues and rings, and returns when all are ready. Throws Unavailable or
  /// UsageError.
  virtual void start(const ModelSetup& setup) = 0;
  /// Hands the request over without waiting for capacity or completion; only `inline` executes the
  /// request in this call. Refusal::none means accepted: the job's run or refuse is called exactly
  /// once, possibly before this returns.
  virtual Refusal submit(const Request& request) noexcept = 0;
  /// Stops admission, lets accepted requests end until `deadline`, then refuses what has not begun
  /// and cancels what waits, waits for every completion, and joins every thread. Nothing runs when
  /// it returns.
  virtual void shutdown(Time deadline) noexcept = 0;
  /// Accepted and not yet ended. Thread-safe.
  virtual std::uint64_t in_flight() const noexcept = 0;
  /// Thread-safe while running; exact after shutdown. Threads that run on the model's CPUs are
  /// "threads".
  virtual ModelStats stats() const = 0;
};

struct ModelInfo {
  std::string_view name;
  std::string_view summary;  ///< one line: what it is and how it waits
  bool control = false;      ///< inline and oracle: not compared, but compared against
  std::vector<OptionKey> options;
  std::unique_ptr<Model> (*make)(const Options&);
  /// Why this machine cannot run it, or nullopt.
  std::optional<std::string> (*unavailable)();
};

/// All models, in the order in which they are listed and drawn.
const std::vector<ModelInfo>& models();
/// Throws UsageError with "did you mean".
const ModelInfo& model_named(std::string_view name);

/// Accepted-but-not-ended, with a limit. `enter` is called by whoever submits, `leave` by whoever
/// ends a request; they write different cache lines, and the limit is exact to within the requests
/// that end while it is being checked.
class InFlight {
 public:
  explicit InFlight(std::uint64_t limit) : limit_(limit) {}

  bool enter() noexcept {
    const std::uint64_t entered = entered_.fetch_add(1, std::memory_order_seq_cst) + 1;
    if (within_limit(entered, left_seen_.load(std::memory_order_relaxed))) return true;
    const std::uint64_t left = left_.load(std::memory_order_acquire);
    left_seen_.store(left, std::memory_order_relaxed);
    if (within_limit(entered, left)) return true;
    entered_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  /// The release pairs with count: who sees the last one leave sees all that it did.
  void leave() noexcept { left_.fetch_add(1, std::memory_order_release); }
  std::uint64_t count() const noexcept {
    const std::uint64_t left = left_.load(std::memory_order_acquire);
    return entered_.load(std::memory_order_seq_cst) - left;
  }

 private:
  /// Signed: requests that entered after `entered` was read may have left before `left` was.
  bool within_limit(std::uint64_t entered, std::uint64_t left) const noexcept {
    return static_cast<std::int64_t>(entered - left) <= static_cast<std::int64_t>(limit_);
  }

  const std::uint64_t limit_;
  alignas(64) std::atomic<std::uint64_t> entered_{0};
  std::atomic<std::uint64_t> left_seen_{0};
  alignas(64) std::atomic<std::uint64_t> left_{0};
};

inline constexpr std::string_view kInFlightLimitDefault = "1000000";

}  // namespace precipice
