// Latencies in the layout of HdrHistogram (Gil Tene): 3 significant digits from 1 ns to 1 hour,
// exact merging.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace precipice {

/// Counts of values in nanoseconds. Sub-buckets of 2,048 per power of two: a recorded value is
/// reported within 0.1%. Values above kHighest are counted as overflow and in count(), never
/// dropped or clamped silently; percentiles that fall among them are reported as kHighest + 1. Not
/// thread-safe.
class Histogram {
 public:
  static constexpr std::int64_t kHighest = 3'600'000'000'000;

  void record(std::int64_t value_ns, std::uint64_t times = 1);  ///< negative values count as 0
  void merge(const Histogram& other);                           ///< exact: same layout always
  std::uint64_t count() const { return count_; }
  std::uint64_t overflow() const { return overflow_; }
  double mean() const;  ///< of bucket midpoints; exact sums are kept by Trial
  std::int64_t percentile(
      double p) const;       ///< nearest rank, p in (0, 100]; highest value equivalent to it
  std::int64_t max() const;  ///< highest value equivalent to the largest recorded

  /// Non-empty buckets as (index, count), ascending; the form that the journal keeps.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buckets() const;
  static Histogram from_buckets(std::span<const std::pair<std::uint32_t, std::uint64_t>> buckets,
                                std::uint64_t overflow);
  /// Layout, for readers of the journal: values [low, high] of a bucket.
  static std::pair<std::int64_t, std::int64_t> bounds(std::uint32_t index);
  static std::uint32_t index_of(std::int64_t value_ns);
  static std::uint32_t bucket_count();

 private:
  std::vector<std::uint64_t> counts_;  ///< grown to the highest index used
  std::uint64_t count_ = 0;
  std::uint64_t overflow_ = 0;
};

/// Exact nearest-rank percentile of samples; reorders them. p in (0, 100]; samples not empty.
std::int64_t exact_percentile(std::span<std::int64_t> samples, double p);

}  // namespace precipice
