#include "harness/stats/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/random.hpp"

namespace precipice {
namespace {

std::vector<std::int64_t> wide_samples(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int64_t> samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.push_back(static_cast<std::int64_t>(std::exp(24 * random.uniform())));
  }
  return samples;
}

TEST(Histogram, LaysOutItsBucketsWithoutGapsOrOverlaps) {
  std::int64_t next = 0;
  for (std::uint32_t i = 0; i < Histogram::bucket_count(); ++i) {
    const auto [low, high] = Histogram::bounds(i);
    ASSERT_EQ(low, next) << i;
    ASSERT_EQ(Histogram::index_of(low), i);
    ASSERT_EQ(Histogram::index_of(high), i);
    ASSERT_LE(static_cast<double>(high - low), 0.001 * static_cast<double>(low) + 1e-9) << i;
    next = high + 1;
  }
  EXPECT_GT(next, Histogram::kHighest);
}

TEST(Histogram, ReportsPercentilesWithinThreeDigitsOfTheExactOnes) {
  std::vector<std::int64_t> samples = wide_samples(50'000, 3);
  Histogram histogram;
  for (const std::int64_t sample : samples) histogram.record(sample);
  for (const double p : {0.1, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto exact = static_cast<double>(exact_percentile(samples, p));
    const auto reported = static_cast<double>(histogram.percentile(p));
    EXPECT_GE(reported, exact) << p;
    EXPECT_LE(reported, exact * 1.001) << p;
  }
}

TEST(Histogram, MergesExactly) {
  const std::vector<std::int64_t> samples = wide_samples(20'000, 5);
  Histogram whole, even, odd;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    whole.record(samples[i]);
    (i % 2 == 0 ? even : odd).record(samples[i]);
  }
  even.merge(odd);
  EXPECT_EQ(even.buckets(), whole.buckets());
  EXPECT_EQ(even.count(), whole.count());
}

TEST(Histogram, CountsOverflowAndNeverDropsIt) {
  Histogram histogram;
  histogram.record(5);
  histogram.record(Histogram::kHighest);
  histogram.record(Histogram::kHighest + 1, 2);
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(histogram.overflow(), 2U);
  EXPECT_EQ(histogram.percentile(25), 5);
  EXPECT_EQ(histogram.percentile(100), Histogram::kHighest + 1);
  EXPECT_EQ(histogram.max(), Histogram::kHighest + 1);
}

TEST(Histogram, ComesBackFromItsBuckets) {
  Histogram histogram;
  for (const std::int64_t sample : wide_samples(5'000, 7)) histogram.record(sample);
  histogram.record(Histogram::kHighest + 1);
  const Histogram again = Histogram::from_buckets(histogram.buckets(), histogram.overflow());
  EXPECT_EQ(again.buckets(), histogram.buckets());
  EXPECT_EQ(again.count(), histogram.count());
  EXPECT_EQ(again.overflow(), histogram.overflow());
}

TEST(Histogram, TakesNegativeValuesAsZeroAndIsQuietWhenEmpty) {
  Histogram histogram;
  EXPECT_EQ(histogram.percentile(99), 0);
  EXPECT_EQ(histogram.max(), 0);
  histogram.record(-3);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.count(), 1U);
}

TEST(Histogram, CountsWhatLiesBeyondABound) {
  Histogram few, many;
  for (std::int64_t ns : {1, 100, 100, 2000}) few.record(ns);
  few.record(Histogram::kHighest + 1);
  EXPECT_EQ(few.count_beyond(0), 5);
  EXPECT_EQ(few.count_beyond(99), 4);
  EXPECT_EQ(few.count_beyond(100), 2);
  EXPECT_EQ(few.count_beyond(2e9), 1);
  EXPECT_EQ(few.count_beyond(1e30), 1);
  EXPECT_EQ(few.compacted().count_beyond(99), 4);
  for (int i = 0; i < 100'000; ++i) many.record(1'000'000 + i);
  // The bucket is 512 ns wide: half of its values are taken to lie above its middle.
  const auto [low, high] = Histogram::bounds(Histogram::index_of(1'050'000));
  EXPECT_EQ(many.count_beyond(static_cast<double>(high)), 1'099'999 - high);
  EXPECT_NEAR(many.count_beyond(static_cast<double>((low + high) / 2)),
              1'099'999 - (low + high) / 2, 1);
}

TEST(ExactPercentile, IsTheNearestRank) {
  std::vector<std::int64_t> samples;
  for (std::int64_t i = 10'000; i > 0; --i) samples.push_back(i);
  EXPECT_EQ(exact_percentile(samples, 99.9), 9'990);
  EXPECT_EQ(exact_percentile(samples, 99), 9'900);
  EXPECT_EQ(exact_percentile(samples, 50), 5'000);
  EXPECT_EQ(exact_percentile(samples, 100), 10'000);
}

TEST(Histogram, CompactedCountsTheSameInLittleMemory) {
  for (const std::size_t count : {1U, 40U, 500U, 20'000U}) {
    Histogram whole, part;
    for (const std::int64_t sample : wide_samples(count, count)) whole.record(sample);
    for (const std::int64_t sample : wide_samples(100, 9)) part.record(sample);
    whole.record(Histogram::kHighest + 1, 3);
    const Histogram compact = whole.compacted();
    EXPECT_EQ(compact.buckets(), whole.buckets());
    EXPECT_EQ(compact.count(), whole.count());
    EXPECT_EQ(compact.overflow(), whole.overflow());
    EXPECT_EQ(compact.max(), whole.max());
    EXPECT_EQ(compact.mean(), whole.mean());
    for (const double p : {0.1, 50.0, 99.0, 99.9, 100.0}) {
      EXPECT_EQ(compact.percentile(p), whole.percentile(p)) << p;
    }
    EXPECT_LE(compact.memory_bytes(), 8 * compact.buckets().size());

    // A few values, a compacted list and an array, merged in every order.
    Histogram a = whole, b = compact, c = part;
    a.merge(part);
    b.merge(part.compacted());
    c.merge(compact);
    EXPECT_EQ(a.buckets(), b.buckets());
    EXPECT_EQ(a.buckets(), c.buckets());
    EXPECT_EQ(c.count(), a.count());
    b.record(7, 2);
    a.record(7, 2);
    EXPECT_EQ(a.buckets(), b.buckets());
  }
}

TEST(Histogram, CompactedKeepsCountsThatAListCannotHold) {
  Histogram histogram;
  histogram.record(5, std::uint64_t{1} << 40);
  histogram.record(9, 3);
  EXPECT_EQ(histogram.compacted().buckets(), histogram.buckets());
  EXPECT_EQ(histogram.compacted().count(), (std::uint64_t{1} << 40) + 3);
}

TEST(ExactPercentile, SeveralAtOnceEqualOneByOne) {
  constexpr double kPercentiles[] = {0.01, 50, 50, 99, 99.9, 100};
  for (const std::size_t count : {1U, 7U, 4'095U, 4'096U, 60'000U}) {
    std::vector<std::int64_t> samples = wide_samples(count, count);
    for (std::size_t i = 0; i < count; i += 5) samples[i] = 1'000'000;
    samples.front() = -4;
    const std::vector<std::int64_t> all = exact_percentiles(samples, kPercentiles);
    ASSERT_EQ(all.size(), std::size(kPercentiles));
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i], exact_percentile(samples, kPercentiles[i])) << count << ' ' << i;
    }
  }
}

}  // namespace
}  // namespace precipice
