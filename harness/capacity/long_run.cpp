#include "harness/capacity/long_run.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/stats/histogram.hpp"
#include "harness/trial/queues.hpp"

namespace precipice {
namespace {

// Those that are simulated by events cost several times as much per request.
constexpr std::size_t kRequests = 4'000'000, kRequestsByEvents = 1'000'000;
constexpr std::uint64_t kSeed = 0x6c6f6e6772756e;
constexpr double kLoadStep = 0.02, kHighest = 0.98;  // of load
constexpr double kUnit = 1e6;                        // of a histogram, for one mean service time

}  // namespace

LongRun::LongRun(Queue queue, const Arrivals& arrivals,
                 const std::function<double(std::uint64_t, std::uint64_t)>& draw)
    : queue_(std::move(queue)) {
  const std::size_t requests = queue_.order == TwinOrder::fcfs ? kRequests : kRequestsByEvents;
  constexpr double kGapNs = 1e3;
  const std::vector<std::int64_t> times = arrivals.schedule(
      1e9 / kGapNs, static_cast<std::int64_t>(static_cast<double>(requests) * kGapNs), kSeed);
  gaps_.reserve(times.size());
  draws_.reserve(times.size());
  std::int64_t last = 0;
  double sum = 0;
  const double mean_gap_ns = static_cast<double>(times.back()) / static_cast<double>(times.size());
  for (std::size_t id = 0; id < times.size(); ++id) {
    gaps_.push_back(static_cast<float>(static_cast<double>(times[id] - last) / mean_gap_ns));
    last = times[id];
    draws_.push_back(static_cast<float>(draw(id, request_seed(kSeed, id))));
    sum += draws_.back();
  }
  // The means of gaps and draws are known: their luck is taken out.
  const double mean = sum / static_cast<double>(std::max<std::size_t>(1, draws_.size()));
  for (float& each : draws_) each = static_cast<float>(each / mean);
}

LongRun::AtLoad LongRun::simulate(double load) const {
  const double gap = 1 / (load * static_cast<double>(queue_.servers));
  Histogram histogram;
  double sum = 0;
  const auto record = [&](double response) {
    sum += response;
    histogram.record(static_cast<std::int64_t>(response * kUnit));
  };
  const auto by_events = [&](auto servers) {
    std::vector<double> began(gaps_.size());
    double at = 0;
    for (std::size_t id = 0; id < gaps_.size(); ++id) {
      at += gap * gaps_[id];
      while (servers.next_end() <= at) {
        const double end = servers.next_end();
        const std::size_t done = servers.end(end);
        record(end - began[done]);
      }
      began[id] = at;
      servers.arrive(at, id, draws_[id]);
    }
  };
  switch (queue_.order) {
    case TwinOrder::fcfs: {
      Queues queues(queue_.servers, false, 0);
      double at = 0;
      for (std::size_t id = 0; id < gaps_.size(); ++id) {
        at += gap * gaps_[id];
        record(queues.arrive(at, draws_[id])->end - at);
      }
      break;
    }
    case TwinOrder::sharing:
      by_events(Sharing(static_cast<unsigned>(queue_.servers)));
      break;
    case TwinOrder::preemption:
      by_events(Preemption(queue_.servers, queue_.most_at_once));
      break;
  }
  AtLoad result;
  const auto total = static_cast<double>(histogram.count());
  result.mean = sum / total;
  double beyond = static_cast<double>(histogram.overflow());
  const auto buckets = histogram.buckets();
  for (auto each = buckets.rbegin(); each != buckets.rend(); ++each) {
    result.edges.push_back(
        static_cast<float>(static_cast<double>(Histogram::bounds(each->first).second + 1) / kUnit));
    result.log_beyond.push_back(static_cast<float>(std::log(std::max(beyond, 0.5) / total)));
    beyond += static_cast<double>(each->second);
  }
  std::reverse(result.edges.begin(), result.edges.end());
  std::reverse(result.log_beyond.begin(), result.log_beyond.end());
  return result;
}

const LongRun::AtLoad& LongRun::at(int step) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(step);
  if (found != known_.end()) return found->second;
  return known_.emplace(step, simulate(kLoadStep * step)).first->second;
}

double LongRun::log_share_beyond(double load, double bound) {
  const double steps = std::clamp(load, kLoadStep, kHighest) / kLoadStep;
  const int low = std::min(static_cast<int>(steps), static_cast<int>(kHighest / kLoadStep) - 1);
  const auto log_share = [&](int step) {
    const AtLoad& curve = at(step);
    const auto above = std::upper_bound(curve.edges.begin(), curve.edges.end(), bound);
    if (above == curve.edges.begin()) return 0.0;
    const auto i = static_cast<std::size_t>(above - curve.edges.begin());
    if (i == curve.edges.size()) return static_cast<double>(curve.log_beyond.back());
    const double part = (bound - curve.edges[i - 1]) / (curve.edges[i] - curve.edges[i - 1]);
    return (1 - part) * curve.log_beyond[i - 1] + part * curve.log_beyond[i];
  };
  const double part = steps - low;
  return (1 - part) * log_share(low) + part * log_share(low + 1);
}

double LongRun::error_of_share(double load, double log_share) const {
  constexpr double kBurst = 4;  // see Dispersion: 2 to 5.7
  const double burst = std::max(1.0, kBurst * load / ((1 - load) * (1 - load)));
  return std::sqrt(burst / (static_cast<double>(gaps_.size()) * std::exp(log_share)));
}

double LongRun::mean(double load) {
  const double steps = std::clamp(load, kLoadStep, kHighest) / kLoadStep;
  const int low = std::min(static_cast<int>(steps), static_cast<int>(kHighest / kLoadStep) - 1);
  const double part = steps - low;
  return std::exp((1 - part) * std::log(at(low).mean) + part * std::log(at(low + 1).mean));
}

LongRun& LongRun::of(const Queue& queue, const Arrivals& arrivals,
                     const std::function<double(std::uint64_t, std::uint64_t)>& draw) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::size_t, TwinOrder, std::size_t, std::string>,
                  std::unique_ptr<LongRun>>
      known;
  const std::lock_guard lock(mutex);
  std::unique_ptr<LongRun>& run =
      known[{queue.kind, queue.servers, queue.order,
             queue.order == TwinOrder::preemption ? queue.most_at_once : 0, arrivals.identity()}];
  if (!run) run = std::make_unique<LongRun>(queue, arrivals, draw);
  return *run;
}

}  // namespace precipice
