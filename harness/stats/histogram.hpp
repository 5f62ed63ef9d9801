// Latencies in the layout of HdrHistogram (Gil Tene): 3 significant digits from 1 ns to 1 hour,
// exact merging.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace precipice {

/// Counts of values in nanoseconds. Buckets are 1 ns wide up to 2,047 ns, then 1,024 per power of
/// two: a recorded value is reported within 0.1%. Values above kHighest are counted as overflow and
/// in count(), never dropped or clamped silently; percentiles that fall among them are reported as
/// kHighest + 1. Reading is safe from several threads, recording from one at a time. A few values
/// are kept as a list, more as an array of all buckets (up to 270 KB); compacted() goes back to a
/// list.
class Histogram {
 public:
  static constexpr std::int64_t kHighest = 3'600'000'000'000;

  void record(std::int64_t value_ns, std::uint64_t times = 1) {  ///< negative values count as 0
    count_ += times;
    if (value_ns > kHighest) {
      overflow_ += times;
      return;
    }
    const std::uint32_t index = index_of(value_ns);
    if (index < counts_.size()) {
      counts_[index] += times;
    } else {
      add(index, times);
    }
  }
  void merge(const Histogram& other);  ///< exact: same layout always
  std::uint64_t count() const { return count_; }
  std::uint64_t overflow() const { return overflow_; }
  double mean() const;  ///< of bucket midpoints; exact sums are kept by Trial
  std::int64_t percentile(
      double p) const;       ///< nearest rank, p in (0, 100]; highest value equivalent to it
  std::int64_t max() const;  ///< highest value equivalent to the largest recorded

  /// How many values lie above the bound; of those in its own bucket, a share as if they were
  /// spread evenly.
  double count_beyond(double bound_ns) const;

  /// Non-empty buckets as (index, count), ascending; the form that the journal keeps.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buckets() const;
  static Histogram from_buckets(std::span<const std::pair<std::uint32_t, std::uint64_t>> buckets,
                                std::uint64_t overflow);
  /// The same counts in the least memory: 8 bytes for each bucket that is not empty. For keeping;
  /// the next record() unfolds it.
  Histogram compacted() const;
  /// What the counts take, in bytes.
  std::size_t memory_bytes() const {
    return counts_.capacity() * sizeof(std::uint64_t) + few_.capacity() * sizeof(Few);
  }

  /// Layout, for readers of the journal: values [low, high] of a bucket.
  static std::pair<std::int64_t, std::int64_t> bounds(std::uint32_t index);
  static std::uint32_t index_of(std::int64_t value_ns) {
    const auto value = static_cast<std::uint64_t>(value_ns < 0 ? 0 : value_ns);
    // Three significant digits need 2,048 sub-buckets (2 x 10^3, rounded up to a power of two);
    // every later bucket doubles the unit and uses the upper half of them.
    const auto bucket = static_cast<std::uint32_t>(std::bit_width(value | 2047)) - 11;
    return (bucket << 10) + static_cast<std::uint32_t>(value >> bucket);
  }
  static std::uint32_t bucket_count();

 private:
  struct Few {
    std::uint32_t index, times;
  };

  void add(std::uint32_t index, std::uint64_t times);
  /// From the list to the array.
  void unfold();

  std::vector<std::uint64_t>
      counts_;            ///< grown to the highest index used; empty while `few_` lasts
  std::vector<Few> few_;  ///< in the order recorded, an index may repeat
  bool sorted_ = false;   ///< `few_` ascends and repeats nothing
  std::uint64_t count_ = 0;
  std::uint64_t overflow_ = 0;
};

/// Exact nearest-rank percentile of samples; reorders them. p in (0, 100]; samples not empty.
std::int64_t exact_percentile(std::span<std::int64_t> samples, double p);

/// The exact nearest-rank percentiles, p in (0, 100] and ascending, of samples that are not empty
/// and keep their order. Two passes over many samples, without a branch that depends on them.
std::vector<std::int64_t> exact_percentiles(std::span<const std::int64_t> samples,
                                            std::span<const double> p);

}  // namespace precipice
