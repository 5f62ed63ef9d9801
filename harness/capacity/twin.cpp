#include "harness/capacity/twin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "harness/trial/queues.hpp"

namespace precipice {
namespace {

/// Above it the luck of a sequence is small, as 300 requests at a cliff are up to 15% off and n by
/// sqrt(300 / n) of that: 1%.
constexpr double kMostRequests = 300 * 15 * 15;

}  // namespace

double stretch_factor(TwinStretch stretch) { return std::exp(0.01 * stretch); }

bool Twin::scales(const Arrivals& arrivals) {
  return arrivals.burst_cycle().count() == 0 && arrivals.trace_file().empty();
}

double Twin::capacity_per_s(TwinStretch stretch) const {
  return static_cast<double>(service_.servers) * 1e9 / (service_.mean_ns * stretch_factor(stretch));
}

bool Twin::replayable(const Point& point) const {
  if (point.window.count() <= 0) return false;
  const double span_s = 1e-9 * static_cast<double>((point.warmup + point.window).count());
  const double rate = point.closed > 0 ? capacity_per_s(0) : point.rate_per_s;
  return rate * span_s <= kMostRequests;
}

Twin::Key Twin::key_of(const Point& point, TwinOrder order, TwinStretch stretch) {
  return {point.seed,           point.rate_per_s,        point.closed, point.warmup.count(),
          point.window.count(), static_cast<int>(order), stretch};
}

std::shared_ptr<const Twin::Replay> Twin::replay(const Point& point, TwinOrder order,
                                                 TwinStretch stretch) const {
  // A cell of hundreds of trials wants five of each and order at the most.
  constexpr std::size_t kMostBytes = 16U << 20;
  const Key key = key_of(point, order, stretch);
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  if (found != kept_.end()) return found->second;
  auto replay = std::make_shared<const Replay>(replay_now(point, order, stretch));
  if (kept_bytes_ > kMostBytes) {
    kept_.clear();
    kept_bytes_ = 0;
  }
  kept_bytes_ += sizeof(Replay) + replay->responses.memory_bytes();
  means_ns_[key] = replay->mean_ns;
  return kept_[key] = std::move(replay);
}

double Twin::mean_of_replay_ns(const Point& point, TwinOrder order, TwinStretch stretch) const {
  const Key key = key_of(point, order, stretch);
  const std::lock_guard lock(mutex_);
  const auto found = means_ns_.find(key);
  if (found != means_ns_.end()) return found->second;
  return means_ns_[key] = replay_now(point, order, stretch).mean_ns;
}

Twin::Replay Twin::replay_now(const Point& point, TwinOrder order, TwinStretch stretch) const {
  const auto begin = static_cast<double>(point.warmup.count());
  const double end = begin + static_cast<double>(point.window.count());
  const double mean = service_.mean_ns * stretch_factor(stretch);
  const auto service = [&](std::uint64_t id) {
    return mean * service_.draw(id, request_seed(point.seed, id));
  };
  Replay replay;
  double sum = 0, requests = 0, ended = 0;
  const auto tell = [&](double arrived, double left) {
    if (left >= begin && left < end) ++ended;
    if (arrived < begin || arrived >= end) return;
    sum += left - arrived;
    ++requests;
    if (point.closed == 0)
      replay.responses.record(static_cast<std::int64_t>(std::lround(left - arrived)));
  };
  if (point.closed > 0) {
    // A loop that is saturated: in what order it serves does not change how much.
    Queues queues(service_.servers, false, 0);
    Queues::Soonest ready(std::greater<>(), std::vector<double>(point.closed, 0.0));
    for (std::uint64_t id = 0; ready.top() < end; ++id) {
      const double at = ready.top();
      ready.pop();
      const double left = queues.arrive(at, service(id))->end;
      tell(at, left);
      ready.push(left);
    }
  } else {
    const std::vector<std::int64_t> arrived =
        arrivals_.schedule(point.rate_per_s, static_cast<std::int64_t>(end), point.seed);
    const auto by_events = [&](auto servers) {
      const auto serve_until = [&](double time) {
        while (servers.size() > 0 && servers.next_end() <= time) {
          const double left = servers.next_end();
          tell(static_cast<double>(arrived[servers.end(left)]), left);
        }
      };
      for (std::size_t id = 0; id < arrived.size(); ++id) {
        const auto at = static_cast<double>(arrived[id]);
        serve_until(at);
        servers.arrive(at, id, service(id));
      }
      serve_until(std::numeric_limits<double>::infinity());
    };
    switch (order) {
      case TwinOrder::fcfs: {
        Queues queues(service_.servers, false, 0);
        for (std::size_t id = 0; id < arrived.size(); ++id) {
          const auto at = static_cast<double>(arrived[id]);
          tell(at, queues.arrive(at, service(id))->end);
        }
        break;
      }
      case TwinOrder::sharing:
        by_events(Sharing(static_cast<unsigned>(service_.servers)));
        break;
      case TwinOrder::preemption:
        by_events(Preemption(service_.servers, service_.most_at_once));
        break;
    }
  }
  replay.mean_ns = requests > 0 ? sum / requests : 0;
  replay.goodput_per_s = ended / (1e-9 * static_cast<double>(point.window.count()));
  replay.responses = replay.responses.compacted();
  return replay;
}

LongRun& Twin::long_run(TwinOrder order) const {
  return LongRun::of({service_.kind, service_.servers, order, service_.most_at_once}, arrivals_,
                     service_.draw);
}

double Twin::log_share_beyond(TwinOrder order, TwinStretch stretch, double rate_per_s,
                              double bound_ns) const {
  return long_run(order).log_share_beyond(rate_per_s / capacity_per_s(stretch),
                                          bound_ns / (service_.mean_ns * stretch_factor(stretch)));
}

double Twin::error_of_share(TwinOrder order, TwinStretch stretch, double rate_per_s,
                            double log_share) const {
  return long_run(order).error_of_share(rate_per_s / capacity_per_s(stretch), log_share);
}

double Twin::mean_ns(TwinOrder order, TwinStretch stretch, double rate_per_s) const {
  return service_.mean_ns * stretch_factor(stretch) *
         long_run(order).mean(rate_per_s / capacity_per_s(stretch));
}

}  // namespace precipice
