// The cliff of threads that interrupt each other, estimated with a twin that is 3% too fast and
// does not know how services scatter.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/capacity/cliff.hpp"
#include "harness/capacity/twin.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;

constexpr double kBoundNs = 10e6;

std::shared_ptr<const Twin> twin_with(const char* kind, double mean_ns, double scatter) {
  Twin::Service service;
  service.kind = kind;
  service.most_at_once = 64;
  service.mean_ns = mean_ns;
  service.draw = [scatter](std::uint64_t id, std::uint64_t seed) {
    return 1 + scatter * (Random(mix64(id) ^ seed).uniform() - 0.5);
  };
  return std::make_shared<const Twin>(std::move(service), Arrivals::parse("poisson"));
}

Point trial_of(const Twin& model, TwinOrder order, double rate_per_s, std::uint64_t closed,
               int block, std::uint64_t seed) {
  Point point;
  point.phase = closed > 0 ? Phase::plateau : Phase::refine;
  point.block = block;
  point.closed = closed;
  point.rate_per_s = rate_per_s;
  point.seed = mix64(seed);
  point.window = 1s;
  point.warmup = 100ms;
  point.stable = point.valid = true;
  const auto replay = model.replay(point, order, 0);
  point.mean_response_ns = replay->mean_ns;
  point.goodput_per_s = replay->goodput_per_s;
  point.offered_per_s = closed > 0 ? replay->goodput_per_s : rate_per_s;
  point.requests = closed > 0 ? static_cast<std::uint64_t>(std::lround(replay->goodput_per_s))
                              : replay->responses.count();
  point.slo_percentile_ns = static_cast<double>(replay->responses.percentile(99));
  point.responses = std::make_shared<const Histogram>(replay->responses);
  return point;
}

/// Cells of one order, estimated with twins and without.
struct Cells {
  double truth = 0;
  int number = 40, inside = 0, twinned = 0, in_another_order = 0;
  std::vector<double> widths, widths_without;
};

Cells estimate_cells(TwinOrder order, int blocks, const std::vector<double>& shares) {
  const auto model = twin_with("scattered by a tenth", 1.03e6, 0.1);
  const auto twin = twin_with("fixed", 1e6, 0);
  double low = 100, high = 900;
  while (high - low > 0.1) {
    const double middle = (low + high) / 2;
    const bool holds = model->log_share_beyond(order, 0, middle, kBoundNs) < std::log(0.01);
    (holds ? low : high) = middle;
  }
  Cells cells;
  cells.truth = low;
  for (int cell = 0; cell < cells.number; ++cell) {
    std::vector<Point> points;
    for (int block = 0; block < blocks; ++block) {
      std::uint64_t seed = static_cast<std::uint64_t>(100 * cell + 10 * block);
      points.push_back(trial_of(*model, order, 0, 16, block, seed));
      for (const double share : shares)
        points.push_back(trial_of(*model, order, share * cells.truth, 0, block, ++seed));
    }
    CliffOptions options;
    options.slo_ns = kBoundNs;
    options.service_time_ns = 1e6;
    options.bootstrap = 200;
    const Estimate without = analyse(points, options).cliff;
    cells.widths_without.push_back(without.high - without.low);
    options.twin = twin;
    const CellResult result = analyse(points, options);
    cells.inside += result.cliff.low <= cells.truth && cells.truth <= result.cliff.high;
    cells.twinned += result.twin_weight > 0;
    cells.in_another_order += result.twin_weight > 0 && result.twin_order != order;
    cells.widths.push_back(result.cliff.high - result.cliff.low);
  }
  return cells;
}

class TwinOrders : public ::testing::TestWithParam<TwinOrder> {};

TEST_P(TwinOrders, IntervalsOfTheCliffHoldAtHalfTheWidth) {
  const Cells cells = estimate_cells(GetParam(), 4, {0.85, 0.95, 1.05, 1.15});
  EXPECT_GE(cells.twinned, 0.9 * cells.number);
  EXPECT_LE(cells.in_another_order, 0.1 * cells.number);
  // Of 40 with 95% each, 33 or fewer lie inside once in 295 times.
  EXPECT_GE(cells.inside, 34);
  EXPECT_LT(median(cells.widths), 0.5 * median(cells.widths_without));
}

TEST_P(TwinOrders, IntervalsOfFewTrialsHold) {
  const Cells cells = estimate_cells(GetParam(), 2, {0.9, 1.0, 1.1});
  EXPECT_GE(cells.inside, 34);
}

INSTANTIATE_TEST_SUITE_P(, TwinOrders, ::testing::ValuesIn(kTwinOrders),
                         [](const auto& each) { return std::string(to_string(each.param)); });

}  // namespace
}  // namespace precipice
