// What a request does, written once for all models as a coroutine over Io.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/io.hpp"
#include "models/options.hpp"
#include "models/request.hpp"
#include "models/task.hpp"

namespace precipice {

/// A request's seed is below this, so that the digest of every seed can be tabulated by `inline`
/// beforehand.
inline constexpr std::uint64_t kTabulatedSeeds = 4096;

/// A server that a workload calls, and that the harness starts and stops.
enum class Downstream : std::uint8_t {
  none,      ///< it calls none, or one that runs already
  rpc,       ///< answers after the delay that it is asked for; a part of this process
  redis,     ///< redis-server, empty
  postgres,  ///< a PostgreSQL server, with an empty database
};

/// What a trial tells its workload before the first request.
struct WorkloadSetup {
  unsigned executors = 1;           ///< number of Io objects; per-executor state is sized by it
  double rate_per_s = 0;            ///< offered rate, or 0 in a closed loop
  std::uint64_t concurrency = 0;    ///< N of a closed loop, or 0
  std::string scratch_directory{};  ///< where files may be made; is there for those that read files
  std::optional<sockaddr_in> backend{};  ///< where Downstream::rpc or redis listens
  std::string conninfo{};                ///< how libpq reaches Downstream::postgres
  /// Only digests are wanted, of every seed: waits last no time and CPU work jumps to its end, so
  /// that 4,096 requests of 5 ms take no 20 s. Nothing else differs: the same run() over the same
  /// Io reads the same bytes. Prepare again without it before measuring.
  bool tabulating = false;
  /// The service time is being measured: waits are stratified, so that few requests have their
  /// mean, also where the options ask for free draws.
  bool calibrating = false;
  /// Called again and again by a prepare that may take long, if given; what it throws gives the
  /// preparation up and passes on.
  std::function<void()> may_give_up{};
};

/// Lifetime: construct with options, prepare before every trial, run from many threads at once,
/// finish after the model has shut down. prepare and finish are called by one thread while no
/// request is under way.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  /// What has to be running before `prepare`, which is told where.
  virtual Downstream downstream() const { return Downstream::none; }
  /// A server of this machine that its requests call and that runs already, or nullopt: what that
  /// takes of the CPUs is no neighbour's.
  virtual std::optional<sockaddr_in> server() const { return std::nullopt; }
  /// Files, connections, calibrated iterations. Throws Unavailable or UsageError; repeated calls
  /// are cheap.
  virtual void prepare(const WorkloadSetup& setup) = 0;
  /// Descriptors that requests read from, for engines that register files. Valid after prepare.
  virtual std::vector<int> files() const { return {}; }
  virtual std::size_t block_bytes() const { return 4096; }
  /// The request. `request.seed` is below kTabulatedSeeds and decides everything that is drawn,
  /// but for the waits of a further attempt. The digest is the same for all attempts.
  virtual Task<Outcome> run(Io& io, const Request& request) = 0;
  /// Several requests as one piece of work, for a policy that batches: one outcome each. As it
  /// stands, one after another.
  virtual Task<void> run_many(Io& io, std::span<const Request> requests,
                              std::span<Outcome> outcomes);
  /// The mean that the options name (work plus wait), for planning only: S is measured, not
  /// assumed.
  virtual Nanos nominal_service() const = 0;
  /// The same of one seed's draw; their mean over all seeds is nominal_service().
  virtual Nanos nominal_draw(std::uint64_t /*seed*/) const { return nominal_service(); }
  /// The part of it that occupies a CPU. Zero for pure waits.
  virtual Nanos nominal_cpu() const = 0;
  /// Closes what the requests left open. The trial's Io objects are gone by then, so connections
  /// are closed as plain descriptors.
  virtual void finish() {}
  /// What a reader must know of how it ran here ("direct=off: tmpfs has no O_DIRECT"), or "".
  virtual std::string note() const { return {}; }
};

struct WorkloadInfo {
  std::string_view name;
  std::string_view summary;
  bool control = false;  ///< empty
  bool waits = false;    ///< has waits, so its default SLO is relative to the unloaded p99
  bool files = false;    ///< reads files in the scratch directory, so that disk decides its trials
  std::vector<OptionKey> options;
  std::unique_ptr<Workload> (*make)(const Options&);
  /// Why this machine cannot run it with its defaults, naming the Debian package that it lacks, or
  /// nullopt. Null: it always can.
  std::optional<std::string> (*unavailable)() = nullptr;
};

const std::vector<WorkloadInfo>& workloads();
/// Throws UsageError with "did you mean".
const WorkloadInfo& workload_named(std::string_view name);

}  // namespace precipice
