#include "harness/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace precipice {
namespace {

// Three significant digits need 2,048 sub-buckets (2 x 10^3, rounded up to a power of two); every
// later bucket doubles the unit and uses the upper half of them.
constexpr std::uint32_t kHalfMagnitude = 10;
constexpr std::uint32_t kHalf = 1u << kHalfMagnitude;
constexpr std::uint32_t kSubBuckets = 2 * kHalf;

std::uint64_t nearest_rank(double p, std::uint64_t count) {
  // The tolerance keeps 99.9% of 10,000 at rank 9,990 although 0.999 has no exact binary form.
  const double rank = std::ceil(p / 100 * static_cast<double>(count) - 1e-7);
  return std::clamp<std::uint64_t>(rank < 1 ? 1 : static_cast<std::uint64_t>(rank), 1, count);
}

}  // namespace

std::uint32_t Histogram::index_of(std::int64_t value_ns) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(value_ns, 0));
  const auto width = static_cast<std::uint32_t>(std::bit_width(value | (kSubBuckets - 1)));
  const std::uint32_t bucket = width - (kHalfMagnitude + 1);
  return (bucket << kHalfMagnitude) + static_cast<std::uint32_t>(value >> bucket);
}

std::pair<std::int64_t, std::int64_t> Histogram::bounds(std::uint32_t index) {
  if (index < kSubBuckets) return {index, index};
  const std::uint32_t bucket = (index >> kHalfMagnitude) - 1;
  const std::int64_t sub = (index & (kHalf - 1)) + kHalf;
  const std::int64_t low = sub << bucket;
  return {low, low + (std::int64_t{1} << bucket) - 1};
}

std::uint32_t Histogram::bucket_count() { return index_of(kHighest) + 1; }

void Histogram::record(std::int64_t value_ns, std::uint64_t times) {
  count_ += times;
  if (value_ns > kHighest) {
    overflow_ += times;
    return;
  }
  const std::uint32_t index = index_of(value_ns);
  if (index >= counts_.size()) {
    counts_.resize(std::min<std::size_t>(bucket_count(), (index | (kHalf - 1)) + 1));
  }
  counts_[index] += times;
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  overflow_ += other.overflow_;
}

double Histogram::mean() const {
  if (count_ == 0) return 0;
  double sum = static_cast<double>(overflow_) * static_cast<double>(kHighest + 1);
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const auto [low, high] = bounds(i);
    sum += static_cast<double>(counts_[i]) * 0.5 * static_cast<double>(low + high);
  }
  return sum / static_cast<double>(count_);
}

std::int64_t Histogram::percentile(double p) const {
  if (count_ == 0) return 0;
  const std::uint64_t rank = nearest_rank(p, count_);
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return bounds(i).second;
  }
  return kHighest + 1;
}

std::int64_t Histogram::max() const {
  if (overflow_ > 0) return kHighest + 1;
  for (std::size_t i = counts_.size(); i > 0; --i) {
    if (counts_[i - 1] > 0) return bounds(static_cast<std::uint32_t>(i - 1)).second;
  }
  return 0;
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> Histogram::buckets() const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> result;
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) result.emplace_back(i, counts_[i]);
  }
  return result;
}

Histogram Histogram::from_buckets(std::span<const std::pair<std::uint32_t, std::uint64_t>> buckets,
                                  std::uint64_t overflow) {
  Histogram result;
  for (const auto& [index, times] : buckets) {
    // An index beyond the layout comes from a damaged file; it counts as what cannot be placed.
    if (index >= bucket_count()) {
      result.overflow_ += times;
      result.count_ += times;
      continue;
    }
    result.record(bounds(index).first, times);
  }
  result.count_ += overflow;
  result.overflow_ += overflow;
  return result;
}

std::int64_t exact_percentile(std::span<std::int64_t> samples, double p) {
  const std::uint64_t rank = nearest_rank(p, samples.size());
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

}  // namespace precipice
