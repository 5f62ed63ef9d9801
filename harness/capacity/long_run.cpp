#include "harness/capacity/long_run.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "harness/stats/histogram.hpp"
#include "harness/trial/queues.hpp"

namespace precipice {
namespace {

// Sharing costs twenty times as much per request.
constexpr std::size_t kRequests = 4'000'000, kRequestsOfSharing = 1'000'000;
constexpr std::uint64_t kSeed = 0x6c6f6e6772756e;
constexpr double kLoadStep = 0.02, kHighest = 0.98;  // of load
constexpr double kUnit = 1e6;                        // of a histogram, for one mean service time

}  // namespace

LongRun::LongRun(std::size_t servers, bool sharing, const Arrivals& arrivals,
                 const std::function<double(std::uint64_t, std::uint64_t)>& draw)
    : servers_(servers), sharing_(sharing) {
  const std::size_t requests = sharing ? kRequestsOfSharing : kRequests;
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
  const double gap = 1 / (load * static_cast<double>(servers_));
  Histogram histogram;
  double sum = 0, at = 0;
  const auto record = [&](double response) {
    sum += response;
    histogram.record(static_cast<std::int64_t>(response * kUnit));
  };
  if (sharing_) {
    Sharing sharing(static_cast<unsigned>(servers_));
    std::vector<double> began(gaps_.size());
    for (std::size_t id = 0; id < gaps_.size(); ++id) {
      at += gap * gaps_[id];
      while (sharing.next_end() <= at) {
        const double end = sharing.next_end();
        const std::size_t done = sharing.end(end);
        record(end - began[done]);
      }
      began[id] = at;
      sharing.arrive(at, id, draws_[id]);
    }
  } else {
    Queues queues(servers_, false, 0);
    for (std::size_t id = 0; id < gaps_.size(); ++id) {
      at += gap * gaps_[id];
      record(queues.arrive(at, draws_[id])->end - at);
    }
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

LongRun& LongRun::of(const std::string& kind, std::size_t servers, bool sharing,
                     const Arrivals& arrivals,
                     const std::function<double(std::uint64_t, std::uint64_t)>& draw) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<LongRun>> known;
  const std::lock_guard lock(mutex);
  std::unique_ptr<LongRun>& run = known[kind + " " + std::to_string(servers) +
                                        (sharing ? " sharing " : " fcfs ") + arrivals.identity()];
  if (!run) run = std::make_unique<LongRun>(servers, sharing, arrivals, draw);
  return *run;
}

}  // namespace precipice
