#include "harness/capacity/cell_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "models/options.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/simulated_cell.hpp"

namespace precipice {
namespace {

using Keys = std::map<std::string, std::string>;

// A sanitizer makes a simulation ten times as slow: there it has a tenth of the requests, and four
// times the room for their scatter.
constexpr int kFewer = testing::kSanitized ? 10 : 1;
constexpr double kRoom = testing::kSanitized ? 4 : 1;

testing::Cell search(const Keys& oracle, int window_s, std::uint64_t seed) {
  testing::CellPlan plan;
  plan.oracle = oracle;
  plan.window = std::chrono::seconds(window_s) / kFewer;
  plan.coarse_window = plan.window / 4;
  plan.seed = seed;
  return testing::search_cell(plan);
}

TEST(SimulatedSearch, FindsLambda10OfMD1) {
  const testing::Cell cell = search({}, 100, 21);
  EXPECT_EQ(cell.result.cliff.reached, Reached::ok);
  EXPECT_NEAR(cell.result.cliff.value / 773.49, 1, kRoom * 0.01);  // Crommelin's waiting times
  EXPECT_NEAR(cell.result.saturation.value, 1000, kRoom);
  EXPECT_LT(cell.result.cliff.low, 773.49);
  EXPECT_GT(cell.result.cliff.high, 773.49);
}

TEST(SimulatedSearch, FindsLambda10AndTheKneeOfMM1) {
  const testing::Cell cell = search({{"service", "exponential"}}, 200, 22);
  EXPECT_NEAR(cell.result.cliff.value / 539.48, 1, kRoom * 0.02);
  EXPECT_NEAR(cell.result.knee.value / 500, 1, kRoom * 0.05);
  EXPECT_NEAR(cell.result.saturation.value / 1000, 1, kRoom * 0.01);
}

TEST(SimulatedSearch, FindsLambda10OfMMc) {
  const testing::Cell cell = search({{"service", "exponential"}, {"servers", "4"}}, 40, 23);
  EXPECT_NEAR(cell.result.cliff.value / 3500.9, 1, kRoom * 0.015);  // Erlang C
}

/// p99 of M/G/1 in units of the mean service, by Lindley's recursion on another generator: shares
/// no code with what it checks.
double independent_p99(double load, const std::function<double(std::mt19937_64&)>& service,
                       std::size_t arrivals) {
  std::mt19937_64 random(987654321);
  std::exponential_distribution<double> gap(load);
  std::vector<double> responses(arrivals);
  double wait = 0;
  for (double& response : responses) {
    const double work = service(random);
    response = wait + work;
    wait = std::max(0.0, wait + work - gap(random));
  }
  const auto at = responses.begin() + static_cast<std::ptrdiff_t>(0.99 * double(arrivals));
  std::nth_element(responses.begin(), at, responses.end());
  return *at;
}

double independent_cliff(const std::function<double(std::mt19937_64&)>& service) {
  double low = 0.02, high = 0.98;
  for (int i = 0; i < 9; ++i) {
    const double middle = 0.5 * (low + high);
    (independent_p99(middle, service, 1'500'000 / kFewer) <= 10 ? low : high) = middle;
  }
  return 1000 * 0.5 * (low + high);
}

TEST(SimulatedSearch, FindsLambda10OfQueuesWithoutAClosedForm) {
  const double bimodal = independent_cliff([](std::mt19937_64& random) {
    return (std::uniform_real_distribution<double>()(random) < 0.8 ? 1.0 : 4.0) / 1.6;
  });
  EXPECT_NEAR(search({{"service", "bimodal(0.8,1,4)"}}, 100, 24).result.cliff.value / bimodal, 1,
              kRoom * 0.02);
  const double lognormal = independent_cliff([](std::mt19937_64& random) {
    const double sigma = std::sqrt(std::log(1.25));
    return std::lognormal_distribution<double>(-sigma * sigma / 2, sigma)(random);
  });
  EXPECT_NEAR(search({{"service", "lognormal(0.5)"}}, 100, 25).result.cliff.value / lognormal, 1,
              kRoom * 0.02);
}

}  // namespace
}  // namespace precipice
