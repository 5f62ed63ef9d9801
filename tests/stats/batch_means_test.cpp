#include "harness/stats/batch_means.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "models/random.hpp"

namespace precipice {
namespace {

/// Waits of a stationary process whose correlation falls by `factor` a step, around 1 ms.
std::vector<std::int64_t> correlated(double factor, std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int64_t> series;
  double state = 0;
  for (std::size_t i = 0; i < n + 1000; ++i) {
    state = factor * state + (2 * random.uniform() - 1);
    if (i >= 1000) series.push_back(1'000'000 + std::llround(10'000 * state));
  }
  return series;
}

double mean_of(const std::vector<std::int64_t>& series) {
  double sum = 0;
  for (const std::int64_t value : series) sum += static_cast<double>(value);
  return sum / static_cast<double>(series.size());
}

PooledScatter pooled(double factor, std::size_t n, int series, std::uint64_t seed = 1) {
  PooledScatter result;
  for (int i = 0; i < series; ++i) {
    const auto one = correlated(factor, n, seed + static_cast<std::uint64_t>(i));
    result.add(static_cast<double>(n), mean_of(one), batch_scatter(one));
  }
  return result;
}

TEST(Bursts, ScatterIsThatOfTheValuesAndOfTheirBatches) {
  std::vector<std::int64_t> series;
  for (int i = 0; i < 40; ++i) series.push_back(i / 4 % 2 == 0 ? 100 : 300);
  const BatchScatter whole = batch_scatter(series);
  EXPECT_NEAR(whole.deviation, 100, 1e-9);
  EXPECT_NEAR(whole.of_batches, 100, 1e-9);  // each batch of four is of one kind
  for (int i = 0; i < 40; ++i) series[static_cast<std::size_t>(i)] = i % 2 == 0 ? 100 : 300;
  EXPECT_NEAR(batch_scatter(series).deviation, 100, 1e-9);
  EXPECT_NEAR(batch_scatter(series).of_batches, 0, 1e-9);
  // Three more fill no batch; they are part of the mean and of the deviation all the same.
  series.insert(series.end(), {500, 500, 500});
  EXPECT_NEAR(batch_scatter(series).of_batches, 9500.0 / 43 - 200, 1e-9);
}

TEST(Bursts, TooFewValuesShowNothing) {
  EXPECT_TRUE(std::isnan(batch_scatter({}).deviation));
  const std::vector<std::int64_t> few(19, 7);
  EXPECT_TRUE(std::isnan(batch_scatter(few).of_batches));
  PooledScatter nothing;
  EXPECT_TRUE(std::isnan(nothing.autocorrelation_time()));
  nothing.add(19, 7, batch_scatter(few));
  EXPECT_TRUE(std::isnan(nothing.autocorrelation_time()));
  // Values that are all the same have no bursts either, and no error.
  nothing.add(1000, 7, {0, 0});
  EXPECT_TRUE(std::isnan(nothing.autocorrelation_time()));
}

TEST(Bursts, IndependentValuesSpeakForThemselves) {
  const PooledScatter scatter = pooled(0, 2000, 20);
  EXPECT_LT(scatter.autocorrelation_time(), 1.3);
  EXPECT_GE(scatter.autocorrelation_time(), 1);
  // Uniform over 20,000 ns around 1 ms: deviation 5,774 ns, of 40,000 values.
  EXPECT_NEAR(scatter.relative_error_of_mean() / (5774.0 / 1e6 / 200), 1, 0.15);
}

// The integrated autocorrelation time is (1 + a) / (1 - a).
TEST(Bursts, CorrelationCountsAsLongAsItLasts) {
  EXPECT_NEAR(pooled(0.5, 4000, 20).autocorrelation_time(), 3, 0.6);
  EXPECT_NEAR(pooled(0.9, 4000, 20).autocorrelation_time(), 19, 4);
  EXPECT_NEAR(pooled(0.98, 20'000, 20).autocorrelation_time(), 99, 20);
}

TEST(Bursts, BatchesThatAreShortAgainstABurstAreAllowedFor) {
  // Batches of 100 values: the variance of their means alone would show 61 of the 99.
  EXPECT_NEAR(pooled(0.98, 1000, 40).autocorrelation_time(), 99, 25);
  // Batches of 20: it would show 18.
  EXPECT_NEAR(pooled(0.98, 200, 200).autocorrelation_time(), 99, 25);
}

TEST(Bursts, SeriesThatDifferInTheirMeansAreOneLongBurst) {
  PooledScatter scatter;
  for (int i = 0; i < 6; ++i) {
    auto series = correlated(0, 1000, static_cast<std::uint64_t>(i));
    for (std::int64_t& value : series) value += i % 2 == 0 ? 0 : 100'000;
    scatter.add(1000, mean_of(series), batch_scatter(series));
  }
  EXPECT_GT(scatter.autocorrelation_time(), 100);
}

}  // namespace
}  // namespace precipice
