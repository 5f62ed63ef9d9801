// How fast the generator offers, and how exactly: against a model that does nothing, on one CPU.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <vector>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/trial/arrivals.hpp"
#include "harness/trial/generator.hpp"

namespace precipice::bench {
namespace {

constexpr std::array<double, 3> kPercentiles = {0.50, 0.90, 0.98};
using Lags = std::array<double, kPercentiles.size()>;

class Nothing final : public Model {
 public:
  unsigned executors(const CpuSet&) const override { return 1; }
  void start(const ModelSetup&) override {}
  Refusal submit(const Request& request) noexcept override {
    benchmark::DoNotOptimize(request.seed);
    return Refusal::none;
  }
  void shutdown(Time) noexcept override {}
  std::uint64_t in_flight() const noexcept override { return 0; }
  ModelStats stats() const override { return {}; }
};

Lags percentiles_of_lags(std::vector<std::int64_t>& lags) {
  std::sort(lags.begin(), lags.end());
  Lags result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto rank = static_cast<std::size_t>(kPercentiles[i] * static_cast<double>(lags.size()));
    result[i] = static_cast<double>(lags[std::min(rank, lags.size() - 1)]);
  }
  return result;
}

struct Offered {
  Lags lags;
  double rate_per_s = 0;
};

// Self-lag is what a perfect generator, facing the same submit times, would not have had.
Offered offer_once(const std::vector<std::int64_t>& intended, std::uint64_t seed) {
  Nothing model;
  Slots slots(intended.size());
  InFlightIntegral in_flight;
  GeneratorOptions options;
  options.margin = spin_margin();
  const Time epoch = Io::now() + std::chrono::milliseconds(1);
  const std::size_t sent = offer(model, intended, seed, epoch, slots, in_flight, options);
  std::vector<std::int64_t> lags;
  lags.reserve(sent);
  std::int64_t free_at = 0;
  for (std::size_t id = 0; id < sent; ++id) {
    const std::int64_t perfect = std::max(intended[id], free_at);
    lags.push_back(slots.sent(id).dispatch_ns - perfect);
    free_at = perfect + slots.sent(id).submit_ns;
  }
  const double span =
      static_cast<double>(slots.sent(sent - 1).dispatch_ns - slots.sent(0).dispatch_ns);
  return {percentiles_of_lags(lags), 1e9 * static_cast<double>(sent - 1) / span};
}

// Reads the clock and does nothing else; what it notes is the first reading at or after each
// arrival.
Lags bare_loop(const std::vector<std::int64_t>& intended) {
  std::vector<std::int64_t> lags(intended.size());
  const std::int64_t epoch = now_ns() + 1'000'000;
  std::int64_t now = now_ns() - epoch;
  for (std::size_t id = 0; id < intended.size(); ++id) {
    while (now < intended[id]) now = now_ns() - epoch;
    lags[id] = now - intended[id];
  }
  return percentiles_of_lags(lags);
}

// A schedule of half a second at the rate of the argument, in thousands a second.
void offering(benchmark::State& state) {
  const OnDriverCpu pinned;
  const double rate = 1e3 * static_cast<double>(state.range(0));
  const auto intended = Arrivals::parse("poisson").schedule(rate, 500'000'000, 1);
  std::vector<double> rates, p50, p98;
  for (auto _ : state) {
    const std::int64_t start = now_ns();
    const Offered offered = offer_once(intended, 1);
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start));
    rates.push_back(offered.rate_per_s);
    p50.push_back(offered.lags[0]);
    p98.push_back(offered.lags[2]);
  }
  const Spread rate_spread = spread_of(rates);
  state.counters["wanted_per_s"] = rate;
  state.counters["achieved_per_s"] = rate_spread.median;
  state.counters["achieved_low"] = rate_spread.low;
  state.counters["achieved_high"] = rate_spread.high;
  state.counters["self_lag_p50_ns"] = spread_of(p50).median;
  state.counters["self_lag_p98_ns"] = spread_of(p98).median;
}

// Pairs in alternating order, each over the same schedule of a quarter of a second.
void against_bare_loop(benchmark::State& state) {
  const OnDriverCpu pinned;
  std::array<std::vector<double>, kPercentiles.size()> offered, bare, ratios;
  const Arrivals poisson = Arrivals::parse("poisson");
  std::uint64_t pair = 0;
  for (auto _ : state) {
    const auto intended = poisson.schedule(100e3, 250'000'000, ++pair);
    const std::int64_t start = now_ns();
    Lags of_offer, of_bare;
    if (pair % 2 == 0) of_bare = bare_loop(intended);
    of_offer = offer_once(intended, pair).lags;
    if (pair % 2 == 1) of_bare = bare_loop(intended);
    state.SetIterationTime(1e-9 * static_cast<double>(now_ns() - start));
    for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
      offered[i].push_back(of_offer[i]);
      bare[i].push_back(of_bare[i]);
      ratios[i].push_back(of_offer[i] / std::max(of_bare[i], 1.0));
    }
  }
  constexpr const char* kNames[] = {"p50", "p90", "p98"};
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    const std::string name = kNames[i];
    const Spread ratio = spread_of(ratios[i]);
    const double of_offer = spread_of(offered[i]).median, of_bare = spread_of(bare[i]).median;
    state.counters[name + "_offer_ns"] = of_offer;
    state.counters[name + "_bare_ns"] = of_bare;
    state.counters[name + "_ratio"] = of_offer / std::max(of_bare, 1.0);
    state.counters[name + "_ratio_low"] = ratio.low;
    state.counters[name + "_ratio_high"] = ratio.high;
  }
}

}  // namespace

void register_generator() {
  auto* rates = benchmark::RegisterBenchmark("Generator/offering_k_per_s", offering);
  for (const int thousands : {100, 1000, 1500, 2000, 3000, 10000}) rates->Arg(thousands);
  rates->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);
  benchmark::RegisterBenchmark("Generator/against_bare_loop", against_bare_loop)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(20);
}

}  // namespace precipice::bench
