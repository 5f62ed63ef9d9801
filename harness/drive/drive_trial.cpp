#include "harness/drive/drive_trial.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>
#include <utility>

#include "harness/drive/client_loop.hpp"
#include "harness/drive/drive_execution.hpp"
#include "harness/drive/request_text.hpp"
#include "harness/trial/generator.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/pinned_thread.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

void check(const TrialRequest& request, const Endpoint& endpoint) {
  const Target& target = *request.target;
  if ((request.rate_per_s > 0) == (request.closed > 0))
    throw UsageError("a trial needs either a rate above 0 or a closed loop of at least 1");
  if (request.window.count() <= 0) throw UsageError("the window must be longer than 0");
  if (request.closed > target.connections) {
    throw UsageError(fmt::format(
        "a closed loop of {} needs as many connections, and there are {}: --connections {}",
        request.closed, target.connections, request.closed));
  }
  if (!endpoint.local && target.max_rate_per_s <= 0) {
    throw UsageError(fmt::format(
        "{} is not on this machine: say how many requests per second it may get at most, as in "
        "--max-rate 500",
        endpoint.text));
  }
  if (!endpoint.local && target.slow.count > 0) {
    throw UsageError(
        fmt::format("{} is not on this machine, and slow clients are for servers that "
                    "are: leave --slow-clients out",
                    endpoint.text));
  }
  if (target.max_rate_per_s > 0 && request.rate_per_s > target.max_rate_per_s) {
    throw UsageError(fmt::format("a rate of {:g}/s is above the bound of {:g}/s: see --max-rate",
                                 request.rate_per_s, target.max_rate_per_s));
  }
  if (request.generator_cpus.empty() || request.model_cpus.empty())
    throw UsageError("a trial needs CPUs for the client and for the server");
}

/// As many descriptors as the connections need, if the hard limit has them.
void require_descriptors(std::uint64_t connections) {
  constexpr rlim_t kOthers = 256;
  const rlim_t needed = connections + kOthers;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  if (limit.rlim_cur < needed || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw Unavailable(
        fmt::format("{} connections need {} open files, and {} are allowed: ulimit "
                    "-n {}",
                    connections, needed, limit.rlim_max, needed));
  }
}

/// The thread that watches a trial, and counts for it, is not on the client's CPUs.
class OffTheClient {
 public:
  OffTheClient() : before_(CpuSet::of_this_thread()) {}
  OffTheClient(const OffTheClient&) = delete;
  OffTheClient& operator=(const OffTheClient&) = delete;
  ~OffTheClient() {
    try {
      pin_this_thread(before_);
    } catch (const std::exception&) {
      // The CPUs it had before are gone; staying where it is harms nothing but speed.
    }
  }

 private:
  CpuSet before_;
};

}  // namespace

struct TargetRunner::Known {
  std::string url;
  bool insecure = false;
  Url parsed;
  Endpoint endpoint;
  std::unique_ptr<TlsContext> tls;
};

TargetRunner::TargetRunner() = default;
TargetRunner::~TargetRunner() = default;

void check_target(const Target& target) {
  const RequestText text(target, parse_url(target.url, "url"));
  if (target.connections < 1 || target.connections > Target::kMostConnections) {
    throw UsageError(fmt::format("there are 1 to {} connections, not {}", Target::kMostConnections,
                                 target.connections));
  }
  if (target.threads < 1 || target.threads > std::min(target.connections, Target::kMostThreads)) {
    throw UsageError(fmt::format("{} threads cannot share {} connections: at most one each",
                                 target.threads, target.connections));
  }
  if (target.connection_per_request && target.requests_per_connection > 1) {
    throw UsageError(fmt::format("a connection is for one request or for {}, not both",
                                 target.requests_per_connection));
  }
  check_slow_clients(target.slow);
  if (target.timeout <= Nanos(0)) throw UsageError("the timeout must be longer than 0");
}

const TargetRunner::Known& TargetRunner::known(const Target& target) {
  for (const auto& each : known_) {
    if (each->url == target.url && each->insecure == target.insecure) return *each;
  }
  auto made = std::make_unique<Known>();
  made->url = target.url;
  made->insecure = target.insecure;
  made->parsed = parse_url(target.url, "url");
  made->endpoint = Endpoint::of(made->parsed);
  if (made->parsed.tls)
    made->tls = std::make_unique<TlsContext>(made->parsed.host, target.insecure);
  known_.push_back(std::move(made));
  return *known_.back();
}

Trial TargetRunner::run(const TrialRequest& request) {
  try {
    const Time started = Io::now();
    const Target& target = *request.target;
    check_target(target);
    const Known& place = known(target);
    check(request, place.endpoint);
    require_descriptors(std::uint64_t{target.connections} + target.slow.count);
    const Awaited awaited(fmt::format("requests to {} are under way", place.endpoint.text));
    const OffTheClient restored;
    if (spin_margin_ == Nanos(0)) {
      pin_this_thread(request.generator_cpus);
      remove_timer_slack();
      spin_margin_ = spin_margin();
    }
    pin_this_thread(request.model_cpus);
    DriveExecution execution(request, place.endpoint, place.tls.get(),
                             RequestText(target, place.parsed), closing_text(target, place.parsed),
                             stop_);
    execution.set_up(spin_margin_);
    execution.execute(on_second_);
    Trial trial = execution.conclude();
    trial.elapsed_s = seconds(Io::now() - started);
    return trial;
  } catch (...) {
    throw_what_ran_out("the client of " + request.target->url);
  }
}

Calibration TargetRunner::calibrate(const Target& given, const CpuSet& generator_cpus) {
  constexpr double kFewest = 40;
  const auto one = [&](Nanos window, std::uint64_t seed) {
    TrialRequest request;
    request.model = Spec{given.name, {}};
    request.workload = Spec{std::string(kTargetWorkload), {}};
    auto target = std::make_shared<Target>(given);
    target->connections = target->threads = 1;
    request.target = std::move(target);
    request.closed = 1;
    request.seed = seed;
    request.warmup = std::chrono::milliseconds(50);
    request.window = window;
    request.drain = given.timeout;
    request.generator_cpus = generator_cpus;
    request.model_cpus = CpuSet::of_this_thread();
    return run(request);
  };
  constexpr Nanos kWindow = std::chrono::milliseconds(300), kLongest = std::chrono::seconds(20);
  Trial trial = one(kWindow, 1);
  // One that takes longer than the window leaves it without a request.
  for (Nanos window = 8 * kWindow; trial.counts.sent == 0 && window <= kLongest; window *= 8)
    trial = one(window, 1);
  if (trial.counts.completed > 0 && static_cast<double>(trial.counts.completed) < kFewest) {
    const double longer = kFewest / static_cast<double>(trial.counts.completed);
    trial = one(
        std::min(kLongest,
                 Nanos(static_cast<std::int64_t>(longer * static_cast<double>(kWindow.count())))),
        2);
  }
  const Counts& counts = trial.counts;
  if (counts.completed == 0 || counts.failed + counts.shed > 0) {
    std::string why;
    for (const auto& [kind, times] : trial.network->errors)
      why += fmt::format("{}{} {}", why.empty() ? "" : ", ", times, kind);
    for (const auto& [kind, times] : trial.refusals)
      why += fmt::format("{}{} shed ({})", why.empty() ? "" : ", ", times, kind);
    throw Unavailable(fmt::format(
        "{} fails even without load: of {} requests {}; see precipice drive --target {} --closed 1",
        given.url, counts.sent, why.empty() ? "none was answered" : why, given.url));
  }
  Calibration calibration;
  calibration.mean_ns = trial.residence.mean;
  calibration.p99_ns = static_cast<double>(trial.residence.p99);
  calibration.speed_ns = trial.speed_ns;
  calibration.valid = true;
  return calibration;
}

}  // namespace precipice
