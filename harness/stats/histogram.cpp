#include "harness/stats/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace precipice {
namespace {

// Three significant digits need 2,048 sub-buckets (2 x 10^3, rounded up to a power of two); every
// later bucket doubles the unit and uses the upper half of them.
constexpr std::uint32_t kHalfMagnitude = 10;
constexpr std::uint32_t kHalf = 1u << kHalfMagnitude;
constexpr std::uint32_t kSubBuckets = 2 * kHalf;

constexpr std::size_t kMostFew = 512;  // then the array is smaller than what sorting would cost
constexpr std::uint64_t kMostTimes = ~std::uint32_t{0};

// Exact percentiles of many samples: 128 steps per power of two, so that the counts stay in the
// first-level cache.
constexpr std::size_t kManySamples = 4096;
constexpr unsigned kCoarse = 3;
constexpr std::size_t kCoarseBuckets = ((64 - kHalfMagnitude + 1) << kHalfMagnitude) >> kCoarse;

std::uint64_t nearest_rank(double p, std::uint64_t count) {
  // The tolerance keeps 99.9% of 10,000 at rank 9,990 although 0.999 has no exact binary form.
  const double rank = std::ceil(p / 100 * static_cast<double>(count) - 1e-7);
  return std::clamp<std::uint64_t>(rank < 1 ? 1 : static_cast<std::uint64_t>(rank), 1, count);
}

}  // namespace

std::pair<std::int64_t, std::int64_t> Histogram::bounds(std::uint32_t index) {
  if (index < kSubBuckets) return {index, index};
  const std::uint32_t bucket = (index >> kHalfMagnitude) - 1;
  const std::int64_t sub = (index & (kHalf - 1)) + kHalf;
  const std::int64_t low = sub << bucket;
  return {low, low + (std::int64_t{1} << bucket) - 1};
}

std::uint32_t Histogram::bucket_count() { return index_of(kHighest) + 1; }

void Histogram::add(std::uint32_t index, std::uint64_t times) {
  if (counts_.empty() && few_.size() < kMostFew && times <= kMostTimes) {
    if (few_.empty()) few_.reserve(16);
    few_.push_back({index, static_cast<std::uint32_t>(times)});
    sorted_ = false;
    return;
  }
  if (counts_.empty()) unfold();
  if (index >= counts_.size()) {
    counts_.resize(std::min<std::size_t>(bucket_count(), (index | (kHalf - 1)) + 1));
  }
  counts_[index] += times;
}

void Histogram::unfold() {
  std::uint32_t highest = 0;
  for (const Few& few : few_) highest = std::max(highest, few.index);
  counts_.resize(std::min<std::size_t>(bucket_count(), (highest | (kHalf - 1)) + 1));
  for (const Few& few : few_) counts_[few.index] += few.times;
  few_ = {};
  sorted_ = false;
}

void Histogram::merge(const Histogram& other) {
  if (this == &other) {
    const Histogram copy = other;
    merge(copy);
    return;
  }
  if (other.counts_.empty()) {
    for (const Few& few : other.few_) {
      if (few.index < counts_.size()) {
        counts_[few.index] += few.times;
      } else {
        add(few.index, few.times);
      }
    }
  } else {
    if (counts_.empty()) unfold();
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  overflow_ += other.overflow_;
}

double Histogram::mean() const {
  if (count_ == 0) return 0;
  double sum = static_cast<double>(overflow_) * static_cast<double>(kHighest + 1);
  for (const auto& [index, times] : buckets()) {
    const auto [low, high] = bounds(index);
    sum += static_cast<double>(times) * 0.5 * static_cast<double>(low + high);
  }
  return sum / static_cast<double>(count_);
}

std::int64_t Histogram::percentile(double p) const {
  if (count_ == 0) return 0;
  const std::uint64_t rank = nearest_rank(p, count_);
  std::uint64_t seen = 0;
  const auto first_reaching = [&](const auto& list) {
    for (const auto& [index, times] : list) {
      seen += times;
      if (seen >= rank) return bounds(index).second;
    }
    return kHighest + 1;
  };
  if (counts_.empty()) return sorted_ ? first_reaching(few_) : first_reaching(buckets());
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
  std::uint32_t highest = 0;
  for (const Few& few : few_) highest = std::max(highest, few.index);
  return few_.empty() ? 0 : bounds(highest).second;
}

double Histogram::count_beyond(double bound_ns) const {
  if (bound_ns > static_cast<double>(kHighest)) return static_cast<double>(overflow_);
  const auto bound = static_cast<std::int64_t>(bound_ns);
  const std::uint32_t at = index_of(bound);
  std::uint64_t beyond = overflow_, with_it = 0;
  for (const Few& few : few_) {
    if (few.index > at) beyond += few.times;
    if (few.index == at) with_it += few.times;
  }
  if (at < counts_.size()) with_it += counts_[at];
  for (std::size_t i = at + std::size_t{1}; i < counts_.size(); ++i) beyond += counts_[i];
  const auto [low, high] = bounds(at);
  const double share = static_cast<double>(high - bound) / static_cast<double>(high - low + 1);
  return static_cast<double>(beyond) + static_cast<double>(with_it) * share;
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> Histogram::buckets() const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> result;
  if (counts_.empty()) {
    result.reserve(few_.size());
    for (const Few& few : few_) result.emplace_back(few.index, few.times);
    if (sorted_) return result;
    std::sort(result.begin(), result.end());
    std::size_t last = 0;
    for (std::size_t i = 1; i < result.size(); ++i) {
      if (result[i].first == result[last].first) {
        result[last].second += result[i].second;
      } else {
        result[++last] = result[i];
      }
    }
    if (!result.empty()) result.resize(last + 1);
    return result;
  }
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) result.emplace_back(i, counts_[i]);
  }
  return result;
}

Histogram Histogram::compacted() const {
  const auto list = buckets();
  const bool fits = std::all_of(list.begin(), list.end(),
                                [](const auto& bucket) { return bucket.second <= kMostTimes; });
  if (!fits) return *this;
  Histogram result;
  result.count_ = count_;
  result.overflow_ = overflow_;
  result.few_.reserve(list.size());
  for (const auto& [index, times] : list)
    result.few_.push_back({index, static_cast<std::uint32_t>(times)});
  result.sorted_ = true;
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

std::vector<std::int64_t> exact_percentiles(std::span<const std::int64_t> samples,
                                            std::span<const double> p) {
  std::vector<std::int64_t> result;
  if (samples.size() < kManySamples) {
    std::vector<std::int64_t> copy(samples.begin(), samples.end());
    // Each selection leaves everything larger behind its position: the next searches only there.
    auto from = copy.begin();
    for (const double each : p) {
      const auto at =
          copy.begin() + static_cast<std::ptrdiff_t>(nearest_rank(each, copy.size()) - 1);
      if (at >= from) {
        std::nth_element(from, at, copy.end());
        from = at + 1;
      }
      result.push_back(*at);
    }
    return result;
  }
  // Which coarse bucket holds each rank, then a selection among its samples alone.
  std::vector<std::uint32_t> counts(kCoarseBuckets, 0);
  for (const std::int64_t sample : samples) ++counts[Histogram::index_of(sample) >> kCoarse];
  constexpr std::uint8_t kNowhere = 255;
  std::vector<std::uint8_t> wanted(kCoarseBuckets, kNowhere);
  struct Part {
    std::uint64_t before = 0;
    std::vector<std::int64_t> samples;
  };
  std::vector<Part> parts;
  std::vector<std::size_t> part_of(p.size());
  std::uint64_t before = 0;
  std::size_t bucket = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const std::uint64_t rank = nearest_rank(p[i], samples.size());
    while (before + counts[bucket] < rank) before += counts[bucket++];
    if (wanted[bucket] == kNowhere) {
      wanted[bucket] = static_cast<std::uint8_t>(parts.size());
      parts.push_back({before, {}});
      parts.back().samples.reserve(counts[bucket]);
    }
    part_of[i] = wanted[bucket];
  }
  for (const std::int64_t sample : samples) {
    const std::uint8_t part = wanted[Histogram::index_of(sample) >> kCoarse];
    if (part != kNowhere) parts[part].samples.push_back(sample);
  }
  for (std::size_t i = 0; i < p.size(); ++i) {
    Part& part = parts[part_of[i]];
    const std::uint64_t rank = nearest_rank(p[i], samples.size()) - part.before;
    const auto at = part.samples.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(part.samples.begin(), at, part.samples.end());
    result.push_back(*at);
  }
  return result;
}

}  // namespace precipice
