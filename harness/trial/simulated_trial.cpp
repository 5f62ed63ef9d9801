#include "harness/trial/simulated_trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "harness/trial/arrivals.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/memory_need.hpp"
#include "harness/trial/queues.hpp"
#include "harness/trial/simulated_policies.hpp"
#include "harness/trial/trial_summary.hpp"
#include "models/oracle.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
using Soonest = Queues::Soonest;

struct Stamps {
  std::int64_t dispatch = 0, begin = 0, end = 0;
  bool shed = false;
};

/// Times are not negative.
std::int64_t rounded(double ns) {
  const auto whole = static_cast<std::int64_t>(ns);
  // An addition, because a branch that is taken half of the time costs ten times as much.
  return whole + static_cast<std::int64_t>(ns - static_cast<double>(whole) >= 0.5);
}

/// One run of the queue. `in_flight_ns` is the integral of the number in the system, taken from the
/// unrounded times of the events and not from the stamps.
struct Simulation {
  const TrialRequest& request;
  const std::atomic<bool>* stop;
  OracleSettings settings;
  Stall stall;
  std::int64_t window_end = 0;
  std::vector<std::int64_t> intended;  ///< open loop
  std::size_t issued = 0;
  double in_flight_ns = 0;

  Simulation(const TrialRequest& from, const std::atomic<bool>* stop_flag)
      : request(from), stop(stop_flag), settings(oracle_settings(from.oracle_options())) {
    stall = {static_cast<double>((from.warmup + settings.stall_at).count()),
             static_cast<double>(settings.stall_for.count())};
    window_end = (from.warmup + from.window).count();
    require_room_for_all();
    if (request.closed == 0) {
      intended = request.schedule();
    }
  }

  void run(TrialAccumulator& summary) {
    if (settings.discipline == OracleSettings::Discipline::ps) {
      run_sharing(summary);
    } else if (request.closed > 0) {
      run_queues_closed(summary);
    } else {
      run_queues_open(summary);
    }
  }

 private:
  /// 0 when nothing can reach it.
  std::uint64_t capacity() const {
    const std::uint64_t most = request.closed > 0 ? request.closed : intended.size();
    const std::uint64_t limit = settings.capacity > 0
                                    ? std::min(settings.capacity, settings.in_flight_limit)
                                    : settings.in_flight_limit;
    return limit < most ? limit : 0;
  }
  bool split() const { return settings.discipline == OracleSettings::Discipline::random_split; }
  double service_ns(std::size_t id) const {
    return settings.service_ns({.id = id, .seed = request_seed(request.seed, id)});
  }
  unsigned server(std::size_t id, std::uint64_t seed) const {
    return split() ? settings.server_of(id, seed) : 0;
  }
  /// Throws Interrupted; looked at now and then, since that costs as much as a simulated request.
  void heed_stop() const {
    if ((issued & 0xfff) == 0 && stop != nullptr && stop->load(std::memory_order_relaxed)) {
      throw Interrupted("interrupted: the simulation under way was not kept");
    }
  }
  double retry_after() const {
    return static_cast<double>(std::max(request.think, settings.mean).count());
  }

  void tell(TrialAccumulator& summary, const Stamps& stamp, std::int64_t intended_ns,
            std::uint64_t digest) {
    RequestOutcome fate;
    fate.intended_ns = intended_ns;
    fate.dispatch_ns = stamp.dispatch;
    fate.completion_ns = stamp.end;
    fate.ends = 1;
    fate.shed = stamp.shed;
    if (stamp.shed) {
      fate.end = End::shed;
      fate.error = static_cast<std::int32_t>(Refusal::limit);
    } else {
      fate.end = End::completed;
      fate.begin_ns = stamp.begin;
      fate.digest = digest;
    }
    summary.add(fate);
  }

  /// The stamps of a request that arrived at `wall`, and the time of its end there.
  std::pair<Stamps, double> stamps_of(double wall, const std::optional<Served>& served) {
    Stamps stamp;
    stamp.dispatch = rounded(wall);
    if (!served) {
      stamp.shed = true;
      stamp.begin = stamp.end = stamp.dispatch;
      return {stamp, wall};
    }
    const double begin = stall.begin_time(served->begin);
    const double end = std::max(begin, stall.end_time(served->end));
    stamp.begin = rounded(begin);
    stamp.end = rounded(end);
    in_flight_ns += end - wall;
    return {stamp, end};
  }

  void run_queues_open(TrialAccumulator& summary) {
    Queues queues(settings.servers, split(), capacity());
    for (std::size_t id = 0; id < intended.size(); ++id) {
      heed_stop();
      ++issued;
      const auto wall = static_cast<double>(intended[id]);
      const std::uint32_t seed = request_seed(request.seed, id);
      const auto served = queues.arrive(stall.work_time(wall), service_ns(id), server(id, seed));
      tell(summary, stamps_of(wall, served).first, intended[id], mix64(seed));
    }
  }

  /// As far as rate or servers tell; what is beyond kMaxRequests is refused elsewhere.
  void require_room_for_all() const {
    // Schedule, samples of the summary, and the stamps of processor sharing.
    constexpr double kBytesEach = 8 + 6 * 16 + sizeof(Stamps);
    // Looking costs as much as to simulate a thousand requests.
    constexpr double kWorthALook = 1e6;
    const double span_s = static_cast<double>(window_end) * 1e-9;
    const double served = static_cast<double>(std::min<std::uint64_t>(
                              settings.servers, std::max<std::uint64_t>(1, request.closed))) *
                          span_s * 1e9 / static_cast<double>(settings.mean.count());
    const double expected = request.closed > 0 ? served : request.rate_per_s * span_s;
    if (expected < kWorthALook || expected > static_cast<double>(kMaxRequests)) return;
    require_memory(static_cast<std::uint64_t>(expected * kBytesEach),
                   fmt::format("{:.0f} simulated requests", expected), "shorten the window");
  }

  void require_room() const {
    if (issued < kMaxRequests) return;
    throw UsageError(
        fmt::format("a closed loop of {} sends more than {} requests in this window; shorten it",
                    request.closed, kMaxRequests));
  }

  void run_queues_closed(TrialAccumulator& summary) {
    Queues queues(settings.servers, split(), capacity());
    Soonest ready(std::greater<>(), std::vector<double>(request.closed, 0.0));
    while (ready.top() < static_cast<double>(window_end)) {
      require_room();
      heed_stop();
      const double wall = ready.top();
      ready.pop();
      const std::size_t id = issued++;
      const std::uint32_t seed = request_seed(request.seed, id);
      const auto served = queues.arrive(stall.work_time(wall), service_ns(id), server(id, seed));
      const auto [stamp, end] = stamps_of(wall, served);
      tell(summary, stamp, stamp.dispatch, mix64(seed));
      ready.push(stamp.shed ? wall + retry_after()
                            : end + static_cast<double>(request.think.count()));
    }
  }

  void run_sharing(TrialAccumulator& summary) {
    Sharing sharing(settings.servers);
    const std::uint64_t room = capacity();
    Soonest ready(std::greater<>(), std::vector<double>(request.closed, 0.0));
    std::vector<Stamps> stamps(intended.size());
    double last = 0;  // wall time of the last event, for the integral
    const auto step = [&](double wall) {
      in_flight_ns += static_cast<double>(sharing.size()) * (wall - last);
      last = wall;
    };
    for (;;) {
      double arrival = kNever;
      if (request.closed > 0) {
        if (!ready.empty() && ready.top() < static_cast<double>(window_end)) arrival = ready.top();
      } else if (issued < intended.size()) {
        arrival = static_cast<double>(intended[issued]);
      }
      const double ends = sharing.next_end();
      if (arrival == kNever && ends == kNever) break;
      if (ends <= stall.work_time(arrival)) {
        const double wall = stall.end_time(ends);
        step(wall);
        const std::size_t id = sharing.end(ends);
        stamps[id].end = std::max(stamps[id].begin, rounded(wall));
        if (request.closed > 0) ready.push(wall + static_cast<double>(request.think.count()));
        continue;
      }
      step(arrival);
      heed_stop();
      if (request.closed > 0) {
        require_room();
        ready.pop();
        stamps.emplace_back();
      }
      const std::size_t id = issued++;
      stamps[id].dispatch = rounded(arrival);
      if (room > 0 && sharing.size() >= room) {
        stamps[id].shed = true;
        stamps[id].begin = stamps[id].end = stamps[id].dispatch;
        if (request.closed > 0) ready.push(arrival + retry_after());
        continue;
      }
      const double at = stall.work_time(arrival);
      stamps[id].begin = rounded(stall.begin_time(at));
      sharing.arrive(at, id, service_ns(id));
    }
    for (std::size_t id = 0; id < issued; ++id) {
      tell(summary, stamps[id], request.closed > 0 ? stamps[id].dispatch : intended[id],
           mix64(request_seed(request.seed, id)));
    }
  }
};

void require_oracle(const TrialRequest& request) {
  if (request.model.name != "oracle" || request.workload.name != "empty" ||
      !request.workload.given.empty()) {
    throw UsageError(fmt::format(
        "the virtual clock simulates model oracle with workload empty, not {} with {}; drop "
        "--clock virtual, or write --model oracle:... --workload empty",
        request.model.to_string(), request.workload.to_string()));
  }
  if (request.closed == 0 && !(request.rate_per_s > 0)) {
    throw UsageError("a trial needs a rate above 0, or --closed N");
  }
  if (request.window <= Nanos(0) || request.warmup < Nanos(0) || request.drain < Nanos(0)) {
    throw UsageError("a trial needs a window above 0, and no negative warm-up or drain");
  }
}

}  // namespace

Trial simulate_trial(const TrialRequest& request, const std::atomic<bool>* stop) {
  require_oracle(request);
  // Classes are told by the requests' ids, which the recursions below do not keep, and they are of
  // one queue.
  if (!request.policies.empty() || !request.classes.empty() ||
      oracle_settings(request.model.given).staged())
    return simulate_policies(request, stop);
  const auto started = std::chrono::steady_clock::now();
  Simulation simulation(request, stop);
  Trial trial;
  trial.request = request;
  Recording observation;
  if (request.closed == 0) observation.intended_ns = simulation.intended;
  observation.window_begin_ns = request.warmup.count();
  observation.window_end_ns = simulation.window_end;
  observation.deadline_ns = simulation.window_end + request.drain.count();
  TrialAccumulator summary(observation, trial);
  simulation.run(summary);
  const StampTotals totals = summary.finish();

  if (totals.all_ended && simulation.in_flight_ns > 0) {
    trial.little_error =
        std::abs(totals.in_flight_ns - simulation.in_flight_ns) / simulation.in_flight_ns;
    if (trial.little_error > 0.001) {
      trial.model_fault = true;
      trial.invalid_reasons.push_back(
          {Cause::model, TrialGate::little,
           fmt::format("the stamps and the in-flight integral differ by {:.3g}%",
                       100 * trial.little_error)});
    }
  }
  trial.valid = trial.invalid_reasons.empty();
  trial.model_stats = {{"threads", 0}};
  trial.elapsed_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return trial;
}

}  // namespace precipice
