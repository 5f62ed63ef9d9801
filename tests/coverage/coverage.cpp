#include "tests/coverage/coverage.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/record.hpp"
#include "tests/support/memory_host.hpp"

namespace precipice::coverage {
namespace {

Plan base() {
  Plan plan;
  plan.name = "coverage";
  plan.clock = ClockKind::virtual_time;
  plan.virtual_requests = 0;  // the windows are meant as they stand
  plan.workloads = {Spec{"empty", {}}};
  plan.slo.times_service = 10;
  return plan;
}

std::vector<Size> make_sizes() {
  using std::chrono::milliseconds;
  std::vector<Size> sizes;
  // Half of the requests that saturation would have still are 20,000.
  Plan plan = base();
  plan.blocks = 9;
  plan.window = milliseconds(40'000);
  plan.coarse_window = milliseconds(10'000);
  plan.warmup = milliseconds(2'000);
  sizes.push_back({"full", plan});

  // What `capacity` does in a minute with S = 100 us, ten times as slow.
  plan = base();
  plan.blocks = 8;
  plan.window = milliseconds(10'000);
  plan.coarse_window = milliseconds(2'500);
  plan.warmup = milliseconds(3'000);
  plan.drain = milliseconds(10'000);
  plan.refine = {0.86, 0.94, 1.02};
  plan.overload = {1.5};
  plan.grid = {0.6};
  plan.precision = 0.03;
  sizes.push_back({"minute", plan});

  plan = base();
  plan.blocks = 6;
  plan.window = milliseconds(1000);
  plan.coarse_window = milliseconds(250);
  plan.drain = milliseconds(1000);
  plan.warmup = milliseconds(200);
  plan.refine = {0.88, 0.96, 1.04, 1.12};
  plan.overload = {1.5};
  plan.grid = {0.3, 0.6};
  sizes.push_back({"standard", plan});

  plan.blocks = 4;
  plan.drain = milliseconds(500);
  plan.grid = {0.5};
  sizes.push_back({"reference", plan});

  plan.blocks = 3;
  plan.window = milliseconds(600);
  plan.coarse_window = milliseconds(200);
  plan.drain = milliseconds(300);
  plan.refine = {0.90, 1.00, 1.10};
  plan.grid = {0.4};
  sizes.push_back({"quick", plan});
  return sizes;
}

std::vector<Queue> make_queues() {
  const auto oracle = [](std::map<std::string, std::string> keys) {
    keys.emplace("servers", "1");
    keys.emplace("service", "exponential");
    keys.emplace("mean", "1ms");
    return Spec{"oracle", std::move(keys)};
  };
  return {
      {"M/M/1", oracle({}), mmc(1)},
      {"M/D/1", oracle({{"service", "fixed"}}), mg1({{1, 1}}, 1)},
      {"M/M/2", oracle({{"servers", "2"}}), mmc(2)},
      {"M/G/1 bimodal", oracle({{"service", "bimodal(0.9,1,10)"}}),
       mg1({{0.9, 1 / 1.9}, {0.1, 10 / 1.9}}, 1 / 1.9)},
      {"M/M/1 sharing", oracle({{"discipline", "ps"}}), mm1_sharing()},
      {"random split", oracle({{"discipline", "random_split"}, {"servers", "2"}}), random_split(2)},
      {"M/M/1/8", oracle({{"queue", "8"}}), mm1k(8)},
  };
}

}  // namespace

const std::vector<Queue>& queues() {
  static const std::vector<Queue> all = make_queues();
  return all;
}

const std::vector<Size>& sizes() {
  static const std::vector<Size> all = make_sizes();
  return all;
}

std::array<double, kFigures> truths(const Queue& queue) {
  constexpr double kPerSecond = 1000;  // S = 1 ms
  return {kPerSecond * true_cliff(queue.truth, 10), kPerSecond * true_cliff(queue.truth, 5),
          kPerSecond * true_cliff(queue.truth, 20), kPerSecond * queue.truth.saturation,
          kPerSecond * true_knee(queue.truth)};
}

CellSummary searched(const Queue& queue, const Plan& plan, std::uint64_t seed) {
  Plan own = plan;
  own.seed = seed;
  own.models = {queue.model};
  testing::MemoryHost host;
  return std::move(run_campaign(own, host).cells.front());
}

CellResult search(const Queue& queue, const Plan& plan, std::uint64_t seed) {
  return searched(queue, plan, seed).result;
}

void Tally::add(const Estimate& estimate) {
  ++searches;
  const bool low = estimate.high<truth, high = estimate.low> truth;
  too_low += low;
  too_high += high;
  covered += estimate.low <= truth && truth <= estimate.high;
  if (estimate.reached != Reached::ok) return;
  ++measured;
  const double error = estimate.value / truth - 1;
  sum += error;
  squares += error * error;
  widths += 0.5 * (estimate.high - estimate.low) / truth;
}

void Tally::merge(const Tally& other) {
  searches += other.searches;
  measured += other.measured;
  covered += other.covered;
  too_low += other.too_low;
  too_high += other.too_high;
  sum += other.sum;
  squares += other.squares;
  widths += other.widths;
}

double Tally::bias() const { return sum / measured; }
double Tally::deviation() const {
  const double mean = bias();
  return std::sqrt(std::max(0.0, squares / measured - mean * mean));
}
double Tally::coverage() const { return static_cast<double>(covered) / searches; }
double Tally::coverage_error() const {
  constexpr double z = 1.959964;
  const double n = searches, p = coverage();
  return z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
}
double Tally::half_width() const { return widths / measured; }

Tallies study(const Queue& queue, const Plan& plan, int searches, std::uint64_t seed, int jobs) {
  const std::array<double, kFigures> truth = truths(queue);
  std::vector<CellResult> results(static_cast<std::size_t>(searches));
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < searches; i = next++) {
      results[static_cast<std::size_t>(i)] =
          search(queue, plan, seed + static_cast<std::uint64_t>(i));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int j = 1; j < jobs; ++j) threads.emplace_back(work);
    work();
  }
  Tallies tallies;
  for (std::size_t figure = 0; figure < kFigures; ++figure) tallies[figure].truth = truth[figure];
  for (const CellResult& result : results) {
    const Estimate* const estimates[kFigures] = {&result.cliff, &result.cliff5, &result.cliff20,
                                                 &result.saturation, &result.knee};
    for (std::size_t figure = 0; figure < kFigures; ++figure)
      tallies[figure].add(*estimates[figure]);
  }
  return tallies;
}

}  // namespace precipice::coverage
