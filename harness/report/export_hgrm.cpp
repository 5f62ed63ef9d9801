// Percentile distributions in HdrHistogram's text form: one per cell and offered rate, the valid
// trials of all blocks merged. Closed loops and the short trials of the coarse search are left out:
// the first do not measure from intended arrivals, and the second are repeated by better ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/report/export.hpp"
#include "harness/trial/trial_summary.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

constexpr double kNanosecondsPerUnit = 1e6;
constexpr int kStepsPerHalfDistance = 5;

/// As exact as nanoseconds are, and at least three significant digits of a fraction of one.
std::string milliseconds(double ns) {
  const double value = ns / kNanosecondsPerUnit;
  const bool fraction = ns > 0 && ns != std::floor(ns);
  const int digits = fraction ? 2 - static_cast<int>(std::floor(std::log10(value))) : 0;
  return fmt::format("{:.{}f}", value, std::clamp(digits, 6, 12));
}

/// Characters that any file system and shell take as they are.
std::string file_name(const std::string& series, const std::string& workload, double rate_per_s) {
  std::string name = fmt::format("{}_{}_{}", series, workload, rate_per_s);
  for (char& c : name) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '=' || c == '.' || c == '-' || c == '_';
    if (!plain) c = c == ':' || c == ',' ? '.' : '_';
  }
  return name + ".hgrm";
}

}  // namespace

std::string percentile_distribution(const Histogram& histogram) {
  std::string text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                 "TotalCount", "1/(1-Percentile)");
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buckets = histogram.buckets();
  if (histogram.overflow() > 0)
    buckets.emplace_back(Histogram::index_of(Histogram::kHighest), histogram.overflow());
  const auto total = static_cast<double>(histogram.count());

  std::uint64_t seen = 0;
  double level = 0;  // per cent, of the next line
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto [low, high] = Histogram::bounds(buckets[i].first);
    const auto count = static_cast<double>(buckets[i].second);
    const double middle = 0.5 * static_cast<double>(low + high + 1);
    sum += count * middle;
    squares += count * middle * middle;
    seen += buckets[i].second;
    const double reached = 100 * static_cast<double>(seen) / total;
    while (level <= reached && level < 100) {
      text +=
          fmt::format("{:>12} {:2.12f} {:10d} {:14.2f}\n", milliseconds(static_cast<double>(high)),
                      level / 100, seen, 1 / (1 - level / 100));
      // The nearer to 100%, the finer: as many steps in each halving of the distance.
      const double halvings = std::floor(std::log2(100 / (100 - level))) + 1;
      level += 100 / (kStepsPerHalfDistance * std::exp2(halvings));
      if (seen == histogram.count()) break;
    }
    if (seen == histogram.count())
      text += fmt::format("{:>12} {:2.12f} {:10d}\n", milliseconds(static_cast<double>(high)), 1.0,
                          seen);
  }
  const double mean = total > 0 ? sum / total : 0;
  const double variance = total > 0 ? std::max(0.0, squares / total - mean * mean) : 0;
  const auto largest =
      static_cast<double>(buckets.empty() ? 0 : Histogram::bounds(buckets.back().first).second);
  text += fmt::format("#[Mean    = {:>12}, StdDeviation   = {:>12}]\n", milliseconds(mean),
                      milliseconds(std::sqrt(variance)));
  text += fmt::format("#[Max     = {:>12}, Total count    = {:12d}]\n", milliseconds(largest),
                      histogram.count());
  // 1,024 values in each further power of two, up to the highest that is kept.
  const std::uint32_t powers = (Histogram::index_of(Histogram::kHighest) - 1024) / 1024 + 1;
  text += fmt::format("#[Buckets = {:12d}, SubBuckets     = {:12d}]\n", powers, 2048);
  return text;
}

void export_hgrm(const RunArchive& run, const ExportOptions& options, const ExportSink& sink) {
  using Cell = std::pair<std::string, std::string>;
  std::map<Cell, std::map<double, Histogram>> merged;
  for_each_trial(run.directory, [&](const Record& record) {
    const double rate = record.trial.request.rate_per_s;
    if (!record.used || !(rate > 0) || record.phase == Phase::coarse) return;
    if (selects(options, record.series, record.workload))
      merged[{record.series, record.workload}][rate].merge(record.trial.response_histogram);
  });
  if (merged.empty()) throw nothing_selected(run);
  for (const auto& [cell, by_rate] : merged) {
    double nearest = by_rate.begin()->first;
    for (const auto& [rate, histogram] : by_rate) {
      if (std::abs(rate - options.rate_per_s) < std::abs(nearest - options.rate_per_s))
        nearest = rate;
    }
    for (const auto& [rate, histogram] : by_rate) {
      if (options.rate_per_s > 0 && rate != nearest) continue;
      sink(file_name(cell.first, cell.second, rate), percentile_distribution(histogram));
    }
  }
}

}  // namespace precipice
