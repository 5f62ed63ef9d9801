#include "harness/capacity/speed_drift.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/capacity/record.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

constexpr std::size_t kMostPairsNamed = 5;

double nearest_rank(const std::vector<double>& ascending, double share) {
  const auto rank =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(ascending.size()) - 1e-9));
  return ascending[std::max<std::size_t>(rank, 1) - 1];
}

/// Slowest over fastest, less 1, without the twentieth at either end: single probes are hit by
/// single events.
double spread(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return nearest_rank(times, 0.95) / nearest_rank(times, 0.05) - 1;
}

using ByBlock = std::map<int, std::vector<double>>;

std::map<int, double> medians(const ByBlock& times) {
  std::map<int, double> result;
  for (const auto& [block, of_block] : times) result[block] = median(of_block);
  return result;
}

/// Blocks in random order cancel drift in the long run; this is what they have not cancelled.
std::vector<SpeedBias> biases(const std::map<std::string, std::map<std::string, ByBlock>>& cells) {
  std::vector<SpeedBias> result;
  for (const auto& [workload, by_series] : cells) {
    for (auto a = by_series.begin(); a != by_series.end(); ++a) {
      const auto of_a = medians(a->second);
      for (auto b = std::next(a); b != by_series.end(); ++b) {
        double sum = 0;
        int blocks = 0;
        for (const auto& [block, time] : medians(b->second)) {
          const auto same = of_a.find(block);
          if (same == of_a.end()) continue;
          sum += std::log(same->second / time);
          ++blocks;
        }
        if (blocks == 0) continue;
        const double mean = sum / blocks;
        if (std::exp(std::abs(mean)) - 1 < kDriftMatters) continue;
        const bool a_slower = mean > 0;
        result.push_back({workload, a_slower ? a->first : b->first, a_slower ? b->first : a->first,
                          std::exp(std::abs(mean)), blocks});
      }
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const SpeedBias& a, const SpeedBias& b) { return a.ratio > b.ratio; });
  return result;
}

std::string listed(const std::set<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ", ") + name;
  return result;
}

void tell(SpeedDrift& drift, const std::set<std::string>& computing, int blocks) {
  std::vector<std::string>& say = drift.sentences;
  if (!drift.drifted()) {
    say.push_back(fmt::format(
        "The machine's speed held: {} probes within {:.1f}% (5th to 95th percentile), no block's "
        "median more than {:.1f}% from another's.",
        drift.samples, 100 * drift.range, 100 * drift.between_blocks));
    return;
  }
  std::string how_much = fmt::format(
      "The machine's speed drifted by {:.1f}% over the run (5th to 95th percentile of {} probes)",
      100 * drift.range, drift.samples);
  if (blocks > 1) {
    how_much += fmt::format(
        ": block {} was {:.1f}% slower than block {}, and block {} varied by {:.1f}% in itself",
        drift.slowest_block, 100 * drift.between_blocks, drift.fastest_block,
        drift.unsteadiest_block, 100 * drift.within_blocks);
  }
  say.push_back(how_much + ".");
  if (computing.empty()) {
    say.push_back(
        "No workload of this run only computes, so its rates hang on the speed of the CPU in part "
        "at most.");
    return;
  }
  if (blocks > 1 && drift.between_blocks >= kDriftMatters) {
    say.push_back(fmt::format(
        "Absolute rates and latencies of {} carry up to {:.1f}% of it from block to block; ratios "
        "within a block, and shares of the block's own ideal, do not.",
        listed(computing), 100 * drift.between_blocks));
  }
  if (drift.touched.empty()) {
    say.push_back(
        fmt::format("No comparison of two models on {} is touched by {:.0f}% or more: their trials "
                    "met the same "
                    "speeds.",
                    listed(computing), 100 * kDriftMatters));
  }
  for (std::size_t i = 0; i < std::min(drift.touched.size(), kMostPairsNamed); ++i) {
    const SpeedBias& bias = drift.touched[i];
    say.push_back(fmt::format(
        "{}: {} ran on a machine that was {:.1f}% slower than what {} met (mean of {} block{}): a "
        "difference between them of less than that is not theirs.",
        bias.workload, bias.slower, 100 * (bias.ratio - 1), bias.faster, bias.blocks,
        bias.blocks == 1 ? "" : "s"));
  }
  if (drift.touched.size() > kMostPairsNamed) {
    say.push_back(fmt::format("{} more comparisons are touched, none of them more.",
                              drift.touched.size() - kMostPairsNamed));
  }
}

}  // namespace

bool SpeedDrift::drifted() const {
  return samples > 0 && (range >= kDriftMatters || between_blocks >= kDriftMatters);
}

SpeedDrift speed_drift(std::span<const SpeedSample> samples) {
  SpeedDrift drift;
  std::vector<double> times;
  ByBlock by_block;
  std::map<std::string, std::map<std::string, ByBlock>> cells;
  std::set<std::string> computing;
  for (const SpeedSample& sample : samples) {
    if (!(sample.speed_ns > 0)) continue;
    times.push_back(sample.speed_ns);
    by_block[sample.block].push_back(sample.speed_ns);
    if (!sample.computes) continue;
    computing.insert(sample.workload);
    if (!sample.series.empty()) {
      cells[sample.workload][sample.series][sample.block].push_back(sample.speed_ns);
    }
  }
  if (times.empty()) return drift;
  drift.samples = static_cast<int>(times.size());
  drift.median_ns = median(times);
  const auto [fastest, slowest] = std::minmax_element(times.begin(), times.end());
  drift.fastest_ns = *fastest;
  drift.slowest_ns = *slowest;
  drift.range = spread(times);
  const auto by_median = medians(by_block);
  const auto [least, most] =
      std::minmax_element(by_median.begin(), by_median.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
  drift.fastest_block = least->first;
  drift.slowest_block = most->first;
  drift.between_blocks = most->second / least->second - 1;
  for (const auto& [block, of_block] : by_block) {
    if (const double own = spread(of_block); own > drift.within_blocks) {
      drift.within_blocks = own;
      drift.unsteadiest_block = block;
    }
  }
  drift.touched = biases(cells);
  tell(drift, computing, static_cast<int>(by_block.size()));
  return drift;
}

std::vector<SpeedSample> speed_samples(const CampaignResult& result) {
  std::vector<SpeedSample> samples;
  std::map<std::string, bool> computes;
  const auto look_up = [&](const Spec& workload) {
    const auto [entry, added] = computes.try_emplace(workload.to_string(), false);
    if (added) entry->second = only_computes(workload);
    return entry->second;
  };
  for (const CellSummary& cell : result.cells) {
    const bool own = cell.model.name != "oracle" && look_up(cell.workload);
    for (const Record& record : cell.points) {
      if (!record.used) continue;
      samples.push_back({record.series, record.workload, record.block, own, record.trial.speed_ns});
    }
  }
  for (const auto& [workload, by_block] : result.service_by_block) {
    const auto known = computes.find(workload);
    for (const auto& [block, calibration] : by_block) {
      samples.push_back(
          {"", workload, block, known != computes.end() && known->second, calibration.speed_ns});
    }
  }
  return samples;
}

}  // namespace precipice
