#include "harness/host/noise_floor.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace precipice {
namespace {

constexpr std::int64_t kPartNs = 10'000'000;
constexpr std::int64_t kAlwaysAllowedLagNs = 50'000;
constexpr double kAllowedLagOfSlo = 0.02;

double parts_in(Nanos window) {
  return static_cast<double>(window.count()) / static_cast<double>(kPartNs);
}

}  // namespace

NoiseFloor::NoiseFloor(const NoiseSamples& samples)
    : watched_s_(samples.watched_s),
      steal_percent_(samples.steal_percent),
      throttled_periods_(samples.throttled_periods),
      others_(samples.others),
      not_judged_(samples.not_judged) {
  // One tick in a short look is an accident of counting.
  constexpr double kFewTicks = 4;
  const double cpu_seconds = samples.watched_s * samples.cpus;
  lost_to_steal_ = samples.steal_ticks >= kFewTicks && samples.steal_ticks > cpu_seconds;

  std::map<std::int64_t, std::int64_t> by_part;
  std::map<int, std::int64_t> by_cpu;
  const auto enter = [&](std::int64_t at_ns, std::int64_t length_ns) {
    std::int64_t& longest = by_part[at_ns / kPartNs];
    longest = std::max(longest, length_ns);
  };
  for (const NoiseSamples::Stall& stall : samples.stalls) {
    enter(stall.at_ns, stall.length_ns);
    std::int64_t& longest = by_cpu[stall.cpu];
    longest = std::max(longest, stall.length_ns);
  }
  std::vector<std::int64_t> lags;
  std::map<std::int64_t, std::vector<std::int64_t>> lags_by_part;
  for (const NoiseSamples::Lag& lag : samples.self_lags) {
    enter(lag.at_ns, lag.late_ns);
    lags.push_back(lag.late_ns);
    lags_by_part[lag.at_ns / kPartNs].push_back(lag.late_ns);
  }
  for (auto& [part, of_part] : lags_by_part) lags_.push_back(std::move(of_part));
  for (const auto& [part, longest] : by_part) parts_.push_back(longest);
  std::sort(parts_.rbegin(), parts_.rend());
  for (const auto& [cpu, longest] : by_cpu) longest_.push_back({cpu, longest});
  if (!lags.empty()) {
    std::sort(lags.begin(), lags.end());
    const auto rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(lags.size())));
    self_lag_p99_ns_ = lags[rank - 1];
    self_lag_max_ns_ = lags.back();
  }
}

double NoiseFloor::lost_to_lag(double slo_ns, Nanos window) const {
  if (lags_.empty()) return 0;
  const double allowed =
      std::max(static_cast<double>(kAlwaysAllowedLagNs), kAllowedLagOfSlo * slo_ns);
  double sum = 0, squares = 0;
  for (const std::vector<std::int64_t>& part : lags_) {
    const auto late = std::count_if(part.begin(), part.end(), [&](std::int64_t lag) {
      return static_cast<double>(lag) > allowed;
    });
    const double share = static_cast<double>(late) / static_cast<double>(part.size());
    sum += share;
    squares += share * share;
  }
  const auto parts = static_cast<double>(lags_.size());
  const double mean = sum / parts;
  const double deviation =
      std::sqrt(std::max(0.0, squares / parts - mean * mean) / std::max(1.0, parts_in(window)));
  constexpr double kLateAtP99 = 0.01;
  if (deviation == 0) return mean > kLateAtP99 ? 1 : 0;
  return 0.5 * std::erfc((kLateAtP99 - mean) / deviation / std::sqrt(2.0));
}

double NoiseFloor::lost_share(double slo_ns, Nanos window) const {
  if (lost_to_steal_) return 1;
  if (parts_.empty()) return 0;
  // A stall of 30 ms leaves the next two parts without a sample: the span counts, not the samples.
  const double parts =
      std::max(static_cast<double>(parts_.size()), watched_s_ * 1e9 / static_cast<double>(kPartNs));
  const auto over = std::find_if(parts_.begin(), parts_.end(), [&](std::int64_t longest) {
    return static_cast<double>(longest) <= slo_ns / 2;
  });
  const double hit = static_cast<double>(over - parts_.begin()) / parts;
  const double to_stalls = 1 - std::pow(1 - std::min(1.0, hit), std::max(1.0, parts_in(window)));
  // What makes the generator late mostly is a stall too: the two are no independent losses.
  return std::max(to_stalls, lost_to_lag(slo_ns, window));
}

std::optional<Nanos> NoiseFloor::smallest_slo(Nanos window) const {
  if (lost_to_steal_) return std::nullopt;
  // The losses fall as the SLO rises, and only where it passes twice a stall or fifty times a lag.
  std::vector<std::int64_t> candidates = {1};
  for (const std::int64_t longest : parts_) candidates.push_back(2 * longest);
  for (const auto& part : lags_) {
    for (const std::int64_t lag : part) {
      if (lag > kAlwaysAllowedLagNs)
        candidates.push_back(
            static_cast<std::int64_t>(std::ceil(static_cast<double>(lag) / kAllowedLagOfSlo)));
    }
  }
  std::sort(candidates.begin(), candidates.end());
  const auto least =
      std::partition_point(candidates.begin(), candidates.end(), [&](std::int64_t slo_ns) {
        return lost_share(static_cast<double>(slo_ns), window) > 1 - NoiseFloor::kEnoughValid;
      });
  return Nanos(std::max<std::int64_t>(1, least == candidates.end() ? candidates.back() : *least));
}

std::optional<Nanos> NoiseFloor::smallest_service(Nanos window) const {
  constexpr std::int64_t kTimesService = 10;
  const auto slo = smallest_slo(window);
  if (!slo) return std::nullopt;
  return Nanos((slo->count() + kTimesService - 1) / kTimesService);
}

Json to_json(const NoiseFloor& floor, Nanos window) {
  const auto count = [](const std::optional<Nanos>& time) {
    return time ? Json(time->count()) : Json(nullptr);
  };
  Json json = {{"watched_s", floor.watched_s()},
               {"window_s", std::chrono::duration<double>(window).count()},
               {"smallest_slo_ns", count(floor.smallest_slo(window))},
               {"smallest_service_ns", count(floor.smallest_service(window))},
               {"self_lag_p99_ns", floor.self_lag_p99_ns()},
               {"self_lag_max_ns", floor.self_lag_max_ns()},
               {"steal_percent", number(floor.steal_percent())},
               {"throttled_periods",
                floor.throttled_periods() ? Json(*floor.throttled_periods()) : Json(nullptr)},
               {"others_cpu_ns", number(floor.others().took_ns)},
               {"not_judged", floor.not_judged()},
               {"stalls", Json::array()},
               {"lost_share", Json::array()}};
  for (const auto& stall : floor.longest_stalls())
    json["stalls"].push_back({{"cpu", stall.cpu}, {"longest_ns", stall.longest_ns}});
  for (double slo_ns = 1e5; slo_ns <= 1e9; slo_ns *= 10)
    json["lost_share"].push_back({{"slo_ns", slo_ns}, {"share", floor.lost_share(slo_ns, window)}});
  return json;
}

}  // namespace precipice
