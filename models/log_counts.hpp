// Percentiles of times in fixed memory, for what a model or a policy has to know of itself.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace precipice {

/// Counts in buckets of 1/16 of a power of two, so percentiles are right to 6%. Not thread-safe.
class LogCounts {
 public:
  /// Negative values count as 0.
  void add(std::int64_t value) {
    const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    ++counts_[index(whole)];
    ++total_;
    max_ = std::max(max_, whole);
  }
  /// The upper end of its bucket, or the maximum if that is less; 0 without values.
  double percentile(double percent) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (total_ > 0 && static_cast<double>(seen) * 100 >= static_cast<double>(total_) * percent)
        return static_cast<double>(std::min(max_, upper(i)));
    }
    return 0;
  }
  double max() const { return static_cast<double>(max_); }
  std::uint64_t total() const { return total_; }
  /// Halves every count, so that what is recent weighs more.
  void halve() {
    total_ = 0;
    for (std::uint64_t& count : counts_) total_ += count /= 2;
  }

 private:
  static std::size_t index(std::uint64_t value) {
    if (value < 16) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 5;
    return (shift + 1) * 16 + static_cast<std::size_t>((value >> shift) & 15);
  }
  static std::uint64_t upper(std::size_t i) {
    if (i < 16) return i;
    const std::size_t shift = i / 16 - 1;
    return ((std::uint64_t{16} + i % 16 + 1) << shift) - 1;
  }

  std::array<std::uint64_t, 16 * 61> counts_{};
  std::uint64_t total_ = 0, max_ = 0;
};

}  // namespace precipice
