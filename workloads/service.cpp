// A downstream of limited capacity: `replicas`, each with `servers` that work on one request or
// batch at a time. It is the downstream of trade-offs that batching, hedging and limits make.
//
// All executors share a replica's gate, so that a downstream has replicas x servers and one queue
// per replica under every model; a gate per executor would be a queue per executor, and with fewer
// servers than executors some would have none. This is safe in every model: a gate has a lock, and
// wakes each waiter through the waiter's own Io, which any thread may do.
//
// A batch pays the fixed part of a service time once, and one server executes all of it in a single
// wait. A request of its own is a batch of one.
#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>

#include "models/oracle.hpp"
#include "models/random.hpp"
#include "workloads/draws.hpp"
#include "workloads/parameters.hpp"
#include "workloads/permit.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

struct ServiceCost {
  Nanos fixed{0};  ///< of a batch
  Nanos item{0};   ///< of each request in it

  Nanos of(std::size_t count) const { return fixed + static_cast<std::int64_t>(count) * item; }

  static ServiceCost read(const Options& options) {
    const bool in_parts = options.given("fixed") || options.given("item");
    if (!in_parts) return {Nanos(0), mean_option(options, "service", "wait")};
    if (options.given("wait"))
      throw UsageError("service: give either wait, or fixed and item; wait is item without fixed");
    const ServiceCost cost{mean_option(options, "service", "fixed", true),
                           mean_option(options, "service", "item", true)};
    if (cost.of(1) == Nanos(0))
      throw UsageError("service: fixed and item are both 0; give one of them");
    return cost;
  }
};

class Service final : public Workload {
 public:
  explicit Service(const Options& options)
      : cost_(ServiceCost::read(options)),
        draws_(dist_option(options, "service"), cost_.of(1), 0x73657276696365),
        replica_count_(options.count("replicas", 1, 1000)),
        servers_(options.count("servers", 0, 1'000'000)),
        free_(free_draws_option(options)),
        slow_(options.number("slow", 1, 1000)),
        stall_{static_cast<double>(options.duration("stall_at").count()),
               static_cast<double>(options.duration("stall_for").count())} {}

  void prepare(const WorkloadSetup& setup) override {
    tabulating_ = setup.tabulating;
    draws_.draw_freely(free_ && !setup.calibrating);
    replicas_.clear();
    for (std::size_t i = 0; i < replica_count_; ++i) replicas_.emplace_back(servers_);
    origin_ns_ = kUnknown;
  }

  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t seed = request.seed;
    const std::int64_t served = co_await serve(io, request, 1);
    if (served < 0) co_return Outcome::failed(served);
    co_return Outcome::ok(mix64(seed));
  }

  Task<void> run_many(Io& io, std::span<const Request> requests,
                      std::span<Outcome> outcomes) override {
    if (requests.empty()) co_return;
    const std::int64_t served = co_await serve(io, requests.front(), requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      outcomes[i] = served < 0 ? Outcome::failed(served) : Outcome::ok(mix64(requests[i].seed));
    }
  }

  Nanos nominal_service() const override {
    return averaged(static_cast<double>(cost_.of(1).count()));
  }
  Nanos nominal_draw(std::uint64_t seed) const override { return averaged(draws_.ns(seed)); }
  Nanos nominal_cpu() const override { return Nanos(0); }
  std::string note() const override {
    if (servers_ == 0) return "";
    return fmt::format("servers={} in all, common to all executors", replica_count_ * servers_);
  }

 private:
  static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::min();

  /// Yields 0 or -errno. What the first request draws and chooses holds for all.
  Task<std::int64_t> serve(Io& io, const Request& first, std::size_t count) {
    // By the number of its batch, if all are as large: ids in steps of 16 would meet the same one
    // of four replicas again and again.
    const std::size_t replica =
        (first.replica > 0 ? first.replica - 1U : first.id / count + first.attempt) %
        replica_count_;
    std::optional<Permit> permit;
    if (servers_ > 0) {
      const std::int64_t entered = co_await io.acquire(replicas_[replica]);
      if (entered < 0) co_return entered;
      permit.emplace(replicas_[replica]);
    }
    const Nanos wait = tabulating_ ? Nanos(0) : wait_of(first, replica, count);
    const std::int64_t slept = co_await io.sleep(wait);
    co_return slept;
  }

  Nanos wait_of(const Request& first, std::size_t replica, std::size_t count) {
    const double batch =
        static_cast<double>(cost_.of(count).count()) / static_cast<double>(cost_.of(1).count());
    const double work_ns = draws_.ns_of(first) * batch * (replica == 0 ? slow_ : 1);
    if (stall_.length_ns == 0) return Nanos(static_cast<std::int64_t>(work_ns + 0.5));
    const std::int64_t now = Io::now().time_since_epoch().count() - origin_ns(first);
    const double end = stall_.end_time(stall_.work_time(static_cast<double>(now)) + work_ns);
    return Nanos(static_cast<std::int64_t>(end + 0.5) - now);
  }

  /// The intended arrival of the first request to be served.
  std::int64_t origin_ns(const Request& request) noexcept {
    std::int64_t origin = origin_ns_.load(std::memory_order_relaxed);
    if (origin != kUnknown) return origin;
    const std::int64_t intended = request.intended.time_since_epoch().count();
    return origin_ns_.compare_exchange_strong(origin, intended, std::memory_order_relaxed)
               ? intended
               : origin;
  }

  /// Over the replicas, since a seed meets each of them as often.
  Nanos averaged(double ns) const {
    const double others = static_cast<double>(replica_count_ - 1);
    return Nanos(static_cast<std::int64_t>(ns * (others + slow_) / (others + 1) + 0.5));
  }

  ServiceCost cost_;
  Draws draws_;  ///< of a request of its own
  std::size_t replica_count_;
  std::size_t servers_;
  bool free_;
  double slow_;
  Stall stall_;
  bool tabulating_ = false;
  std::deque<Gate> replicas_;
  std::atomic<std::int64_t> origin_ns_{kUnknown};
};

}  // namespace

WorkloadInfo service_workload() {
  return {
      .name = "service",
      .summary = "a downstream with replicas of limited capacity, where a batch pays a cost once",
      .control = false,
      .waits = true,
      .options =
          {{"replicas", "1",
            "replicas, 1 to 1000; a request meets the one that a policy chose (choose:by=replica), "
            "else "
            "(id + attempt) % replicas"},
           {"servers", "64",
            "requests or batches that a replica works on at once, 0 to 1M; 0 is any number; 64 "
            "serve 12,800 requests a second of 5ms"},
           {"wait", "5ms",
            "mean service time of a request, above 0 and up to 1m; a batch takes the sum; 5ms is a "
            "call to a service in the same data centre"},
           {"fixed", "0",
            "in place of wait, with item: the part of a service time that a batch pays once"},
           {"item", "0",
            "in place of wait, with fixed: the part that each request of a batch adds"},
           {"dist", "fixed", kDistHelp},
           {"draws", "stratified", kDrawsHelp},
           {"slow", "1",
            "how many times as long the first replica takes, 1 to 1000; 1 is no longer"},
           {"stall_at", "0",
            "when all replicas pause, from the first arrival of the trial: the warm-up counts"},
           {"stall_for", "0", "how long they pause; 0 is never"}},
      .make = [](const Options& options) -> std::unique_ptr<Workload> {
        return std::make_unique<Service>(options);
      }};
}

}  // namespace precipice
