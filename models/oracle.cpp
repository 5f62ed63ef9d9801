// oracle: an analytic queue. Requests wait and are served in arithmetic only; one timer thread ends
// each at the moment that the queue's own recursion gives. It burns no CPU, so what the harness
// reports for it can be held against a closed form.
#include "models/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <new>
#include <queue>
#include <thread>

#include "models/admission.hpp"
#include "models/log_counts.hpp"
#include "models/no_io.hpp"
#include "models/pinned_thread.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

class Oracle final : public Model {
 public:
  explicit Oracle(const Options& options)
      : settings_(OracleSettings::read(options)), admission_(settings_.in_flight_limit) {
    free_at_.assign(settings_.servers, 0);
  }
  ~Oracle() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet&) const override { return 1; }

  void start(const ModelSetup& setup) override {
    if (settings_.staged()) {
      throw UsageError(
          "oracle: stages, linger and tick exist on the virtual clock only; add --clock virtual, "
          "or use the workload pipeline");
    }
    if (settings_.discipline != OracleSettings::Discipline::fcfs) {
      throw UsageError(fmt::format(
          "oracle: discipline={} exists on the virtual clock only; add --clock virtual, or use "
          "discipline=fcfs",
          settings_.discipline == OracleSettings::Discipline::ps ? "ps" : "random_split"));
    }
    job_ = setup.job;
    try {
      start_thread(timer_, "oracle", setup.cpus, [this] { serve(); });
    } catch (...) {
      throw_unavailable("oracle");
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    const std::lock_guard lock(mutex_);
    if (stopping_) {  // let in just before the door shut, after the timer thread had emptied the
                      // queue
      admission_.leave();
      return Refusal::shutdown;
    }
    if (settings_.capacity > 0 && due_.size() + ending_ >= settings_.capacity) {
      admission_.leave();
      return Refusal::limit;
    }
    if (!origin_known_) {
      origin_ = request.intended;
      origin_known_ = true;
      stall_ = {static_cast<double>((settings_.window_offset + settings_.stall_at).count()),
                static_cast<double>(settings_.stall_for.count())};
    }
    // The queue in work time: the request goes to the server that is free first.
    const double arrival = stall_.work_time(static_cast<double>((Io::now() - origin_).count()));
    std::pop_heap(free_at_.begin(), free_at_.end(), std::greater<>());
    double& server = free_at_.back();
    server = std::max(server, arrival) + settings_.service_ns(request);
    const Time at = origin_ + Nanos(static_cast<std::int64_t>(stall_.end_time(server)));
    std::push_heap(free_at_.begin(), free_at_.end(), std::greater<>());
    try {
      due_.push({at, request});
    } catch (const std::bad_alloc&) {
      admission_.leave();
      return Refusal::memory;
    }
    if (due_.top().at == at) changed_.notify_one();
    return Refusal::none;
  }

  void shutdown(Time deadline) noexcept override {
    admission_.close();
    if (timer_.empty()) return;
    admission_.wait_until_empty(deadline);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_one();
    }
    timer_.front().join();
    timer_.clear();
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }

  ModelStats stats() const override {
    const std::lock_guard lock(mutex_);
    return {{"threads", 1},
            {"queue_depth", static_cast<double>(due_.size())},
            {"late_p99_ns", lateness_.percentile(99)},
            {"late_max_ns", lateness_.max()}};
  }

 private:
  struct Due {
    Time at;
    Request request;
    bool operator>(const Due& other) const {
      return at != other.at ? at > other.at : request.id > other.request.id;
    }
  };

  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (stopping_) break;
      if (due_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const Time at = due_.top().at;
      const Time now = Io::now();
      if (now < at) {
        // Interruptible, because a later arrival at an idle server may be due earlier.
        changed_.wait_until(lock, at);
        continue;
      }
      lateness_.add((now - at).count());
      const Request request = due_.top().request;
      due_.pop();
      ending_ = 1;
      lock.unlock();
      execute(
          job_, io_, request, [](void* self) { static_cast<Oracle*>(self)->admission_.leave(); },
          this);
      lock.lock();
      ending_ = 0;
    }
    while (!due_.empty()) {
      job_.refuse(job_.context, due_.top().request, Refusal::shutdown);
      due_.pop();
      admission_.leave();
    }
  }

  const OracleSettings settings_;
  Admission admission_;
  Job job_;
  NoIo io_;
  std::vector<std::thread> timer_;  ///< one, once started

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<double> free_at_;  ///< min-heap, work time in ns since the origin
  std::size_t ending_ = 0;       ///< the request that the timer is ending now
  LogCounts lateness_;           ///< how late the timer woke, ns
  Time origin_{};
  Stall stall_;
  bool origin_known_ = false;
  bool stopping_ = false;
};

}  // namespace

const std::vector<OptionKey>& oracle_keys() {
  static const std::vector<OptionKey> keys = {
      {"servers", "1", "servers, 1 to 4096"},
      {"service", "fixed", "shape of the service time (a dist)"},
      {"mean", "1ms", "mean service time of one server"},
      {"fixed", "0",
       "in place of mean, with item: the part of a service time that a batch pays once"},
      {"item", "0", "in place of mean, with fixed: the part that each request of a batch adds"},
      {"stages", "1",
       "queues in a row, 1 to 100, each with the servers and the service; on the virtual clock "
       "only, as linger and tick"},
      {"linger", "0",
       "a flush timer before each stage: the first request to come waits this long, and those that "
       "come meanwhile go on with it; 0 is none, at most 1m"},
      {"tick", "0",
       "in place of linger: each stage takes in what has come once a tick; 0 is none, at most 1m"},
      {"discipline", "fcfs",
       "fcfs (one queue), ps (processor sharing) or random_split (a queue per server, chosen at "
       "random); the last two on the virtual clock only"},
      {"queue", "0", "most requests in the system, those in service included; 0 is unlimited"},
      {"stall_at", "0", "when all servers pause, from the start of the window"},
      {"stall_for", "0", "how long they pause; 0 is never"},
      {"window_offset", "0",
       "time from the first intended arrival to the start of the window, which stall_at counts "
       "from; the harness sets it to the warm-up"},
      {"in_flight_limit", kInFlightLimitDefault, "most requests accepted and not ended"},
  };
  return keys;
}

OracleSettings oracle_settings(const std::map<std::string, std::string>& given) {
  return OracleSettings::read(Options("oracle", oracle_keys(), given));
}

OracleSettings OracleSettings::read(const Options& options) {
  OracleSettings result;
  result.servers = static_cast<unsigned>(options.count("servers", 1, 4096));
  result.service = Distribution::parse(options.text("service"), "oracle: service");
  result.fixed = options.duration("fixed");
  result.item = options.duration("item");
  const bool in_parts = options.given("fixed") || options.given("item");
  if (in_parts && options.given("mean"))
    throw UsageError("oracle: give either mean, or fixed and item; mean is their sum then");
  result.mean = in_parts ? result.fixed + result.item : options.duration("mean");
  if (result.mean <= Nanos(0)) throw UsageError("oracle: mean must be above 0");
  const std::string discipline = options.choice("discipline", {"fcfs", "ps", "random_split"});
  result.discipline = discipline == "ps"             ? Discipline::ps
                      : discipline == "random_split" ? Discipline::random_split
                                                     : Discipline::fcfs;
  result.stages = static_cast<unsigned>(options.count("stages", 1, 100));
  result.linger = options.duration("linger");
  result.tick = options.duration("tick");
  constexpr Nanos kLongestBuffer = std::chrono::minutes(1);
  if (result.linger > Nanos(0) && result.tick > Nanos(0))
    throw UsageError("oracle: give either linger or tick; a stage has one buffer");
  if (result.linger > kLongestBuffer || result.tick > kLongestBuffer)
    throw UsageError("oracle: linger and tick are at most 1m");
  if (result.staged() && result.discipline != Discipline::fcfs)
    throw UsageError("oracle: stages, linger and tick go with discipline=fcfs only");
  result.capacity = options.count("queue", 0, 1'000'000'000);
  result.in_flight_limit = options.count("in_flight_limit", 1, 1'000'000'000);
  result.stall_at = options.duration("stall_at");
  result.stall_for = options.duration("stall_for");
  result.window_offset = options.duration("window_offset");
  return result;
}

double OracleSettings::service_ns(const Request& request, unsigned stage) const {
  // Id and seed, because seeds repeat within a trial and ids repeat between trials.
  const std::uint64_t own = mix64((request.id << 12) ^ request.seed);
  Random random((stage == 0 ? own : mix64(own + stage)) + request.attempt);
  return service.unit(random) * static_cast<double>(mean.count());
}

unsigned OracleSettings::server_of(std::uint64_t id, std::uint64_t seed) const {
  Random random(~mix64((id << 12) ^ seed));
  return static_cast<unsigned>(random.below(servers));
}

ModelInfo oracle_model() {
  return {.name = "oracle",
          .summary = "an analytic queue that burns no CPU; its answers are known in closed form",
          .control = true,
          .options = oracle_keys(),
          .make = [](const Options& options) -> std::unique_ptr<Model> {
            return std::make_unique<Oracle>(options);
          },
          .unavailable = []() -> std::optional<std::string> { return std::nullopt; }};
}

}  // namespace precipice
