#include "harness/capacity/search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "harness/capacity/point.hpp"

namespace precipice {
namespace {

/// A system without noise: carries `capacity`, and its percentile is 1 ms / (1 - load).
Point ideal(const Probe& probe, double capacity) {
  Point point;
  point.phase = probe.phase;
  point.closed = probe.closed;
  point.rate_per_s = probe.rate_per_s;
  point.requests = 10'000;
  point.valid = true;
  if (probe.closed > 0) {
    const auto n = static_cast<double>(probe.closed);
    point.goodput_per_s = capacity * n / (n + 3);
    point.stable = true;
    return point;
  }
  point.stable = probe.rate_per_s < capacity;
  point.goodput_per_s = std::min(probe.rate_per_s, capacity);
  point.slo_percentile_ns = point.stable ? 1e6 / (1 - probe.rate_per_s / capacity) : 1e12;
  return point;
}

SearchOptions with_slo(double slo_ns) {
  SearchOptions options;
  options.slo_ns = slo_ns;
  return options;
}

using System = std::function<Point(const Probe&)>;

int drive(Search& search, const System& system) {
  int probes = 0;
  while (const auto probe = search.next()) {
    search.add(system(*probe));
    if (++probes > 1000) break;
  }
  return probes;
}

TEST(Search, MeasuresTheGridInTheFirstBlockAloneWhereThatIsAskedFor) {
  for (const bool every : {true, false}) {
    SearchOptions options = with_slo(5e6);
    options.grid_every_block = every;
    options.rates = {100};
    Search search(options);
    drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
    const auto grid = [&](int block) {
      int count = 0;
      for (const Probe& probe : search.block(block)) count += probe.phase == Phase::grid ? 1 : 0;
      return count;
    };
    // The rate that was named is in every block.
    EXPECT_EQ(grid(0), 1 + static_cast<int>(options.grid.size()));
    EXPECT_EQ(grid(1), every ? grid(0) : 1);
  }
}

TEST(Search, FindsThePlateauByDoubling) {
  Search search(with_slo(5e6));
  const int probes = drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  EXPECT_GT(search.plateau_per_s(), 950);
  EXPECT_LE(search.plateau_per_s(), 1000);
  EXPECT_LT(probes, 20);
}

/// p99 falls with the rate, then rises: over 10 ms below some 520/s and above some 755/s.
Point with_a_dip(const Probe& probe) {
  const std::map<double, double> p99_ms = {{300, 40},  {400, 30}, {600, 7}, {700, 8},
                                           {750, 9.5}, {800, 13}, {900, 60}};
  Point point = ideal(probe, 950);
  const auto above = p99_ms.lower_bound(probe.rate_per_s);
  double ms = 1e6;
  if (above == p99_ms.begin()) {
    ms = above->second;
  } else if (above != p99_ms.end()) {
    const auto below = std::prev(above);
    const double part = (probe.rate_per_s - below->first) / (above->first - below->first);
    ms = below->second + part * (above->second - below->second);
  }
  point.slo_percentile_ns = ms * 1e6;
  return point;
}

TEST(Search, FindsTheHighestRateThatHoldsAboveLowOnesThatDoNot) {
  for (const double start : {200.0, 350.0, 500.0, 700.0, 790.0, 900.0}) {
    SearchOptions options = with_slo(10e6);
    options.highest_closed = 0;
    options.first_rate_per_s = start;
    Search search(options);
    EXPECT_LT(drive(search, with_a_dip), 25) << start;
    EXPECT_TRUE(search.bracketed()) << start;
    EXPECT_NEAR(search.coarse_rate_per_s(), 757, 45) << start;
  }
}

TEST(Search, LooksForADipOnceAndThenGoesDown) {
  SearchOptions options = with_slo(10e6);
  options.highest_closed = 0;
  options.first_rate_per_s = 500;
  Search search(options);
  const int probes = drive(search, [](const Probe& probe) {
    Point point = ideal(probe, 1e9);
    point.slo_percentile_ns = 20e6;  // whatever the rate is
    return point;
  });
  EXPECT_LT(probes, 20);
  EXPECT_FALSE(search.bracketed());
}

TEST(Search, GoesFarDownWhereARateShowsNothing) {
  // Every trial above 200/s is invalid, as where a backend shares the generator's CPU.
  SearchOptions options = with_slo(5e6);
  options.highest_closed = 0;
  options.first_rate_per_s = 900;
  Search search(options);
  drive(search, [](const Probe& probe) {
    Point point = ideal(probe, 1000);
    point.valid = probe.rate_per_s < 200;
    return point;
  });
  EXPECT_GT(search.coarse_rate_per_s(), 100);
  EXPECT_LT(search.coarse_rate_per_s(), 200);
}

TEST(Search, BracketsTheCliffToTheCoarseRatioWhereverItLies) {
  for (const double slo_ns : {1.02e6, 1.2e6, 2e6, 5e6, 10e6, 100e6}) {
    for (const double capacity : {0.5, 1000.0, 3e6}) {
      Search search(with_slo(slo_ns));
      const double cliff = capacity * (1 - 1e6 / slo_ns);
      const int probes = drive(search, [&](const Probe& probe) { return ideal(probe, capacity); });
      EXPECT_NEAR(search.coarse_rate_per_s() / cliff, 1, 0.08) << slo_ns << " " << capacity;
      EXPECT_LT(probes, 32);
    }
  }
}

TEST(Search, NeverAsksForMoreThanTheGeneratorOffers) {
  SearchOptions options = with_slo(10e6);
  options.highest_rate_per_s = 300;
  Search search(options);
  drive(search, [](const Probe& probe) {
    EXPECT_LE(probe.rate_per_s, 300);
    return ideal(probe, 1000);
  });
  EXPECT_DOUBLE_EQ(search.coarse_rate_per_s(), 300);
  for (const Probe& probe : search.block(0)) EXPECT_LE(probe.rate_per_s, 300);
  const auto block = search.block(0);
  EXPECT_TRUE(std::any_of(block.begin(), block.end(),
                          [](const Probe& probe) { return probe.rate_per_s == 300; }));
}

TEST(Search, LearnsTheGeneratorsLimitFromInvalidPoints) {
  Search search(with_slo(10e6));
  drive(search, [](const Probe& probe) {
    Point point = ideal(probe, 1000);
    if (probe.rate_per_s > 200) {
      point.valid = false;
      point.generator_limited = true;
    }
    return point;
  });
  EXPECT_GT(search.coarse_rate_per_s(), 200 / 1.09);
  EXPECT_LE(search.coarse_rate_per_s(), 200);
}

TEST(Search, RefinesBelowALimitThatLiesInsideTheBracket) {
  Search search(with_slo(10e6));
  drive(search, [](const Probe& probe) {
    Point point = ideal(probe, 1000);  // the cliff is at 900
    if (probe.rate_per_s > 700 && probe.rate_per_s < 900) {
      point.valid = false;
      point.generator_limited = true;
    }
    return point;
  });
  EXPECT_LT(search.coarse_rate_per_s(), 900);
  const auto block = search.block(0);
  EXPECT_TRUE(std::any_of(block.begin(), block.end(),
                          [](const Probe& probe) { return probe.phase == Phase::refine; }));
}

TEST(Search, EndsBelowWhenNothingMeetsTheSlo) {
  SearchOptions options = with_slo(0.5e6);
  options.lowest_rate_per_s = 10;
  Search search(options);
  const int probes = drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  EXPECT_DOUBLE_EQ(search.coarse_rate_per_s(), 10);
  EXPECT_LT(probes, 40);
}

TEST(Search, EndsWhenEveryTrialIsInvalid) {
  SearchOptions options = with_slo(10e6);
  options.first_rate_per_s = 100;
  Search search(options);
  const int probes = drive(search, [](const Probe& probe) {
    Point point = ideal(probe, 1000);
    point.valid = false;
    return point;
  });
  EXPECT_LE(probes, Search::kMostProbes);
  EXPECT_EQ(search.coarse_rate_per_s(), 0);
  EXPECT_EQ(search.plateau_per_s(), 0);
  EXPECT_TRUE(search.block(0).empty());
}

TEST(Search, TakesAnInvalidPointForUnknownAndNudgesTheRate) {
  // Every rate between 480 and 520 disturbs the host; the cliff is at 500.
  Search search(with_slo(2e6));
  drive(search, [](const Probe& probe) {
    Point point = ideal(probe, 1000);
    if (probe.closed == 0 && probe.rate_per_s > 480 && probe.rate_per_s < 520) {
      point.valid = false;
      point.slo_percentile_ns = 0;  // would pass if it counted
    }
    return point;
  });
  EXPECT_NEAR(search.coarse_rate_per_s(), 500, 60);
}

TEST(Search, IsBoundedWhateverTheAnswersAre) {
  for (std::uint64_t pattern = 0; pattern < 64; ++pattern) {
    Search search(with_slo(10e6));
    int step = 0;
    const int probes = drive(search, [&](const Probe& probe) {
      Point point = ideal(probe, 1000);
      const auto bits = pattern >> (step++ % 6);
      point.valid = (bits & 1) != 0;
      point.generator_limited = (bits & 2) != 0;
      point.stable = (bits & 4) != 0;
      point.slo_percentile_ns = 1;
      return point;
    });
    EXPECT_LE(probes, Search::kMostProbes);
  }
}

TEST(Search, TriesNoLoopThatWouldNotTurnOverWithinAWindow) {
  SearchOptions options;
  options.slo_ns = 20e6;
  options.first_closed = 64;
  options.least_sweep = 4;
  options.longest_turn_s = 0.2;
  Search search(options);
  std::vector<std::uint64_t> asked;
  for (auto probe = search.next(); probe && probe->closed > 0; probe = search.next()) {
    asked.push_back(probe->closed);
    Point point;
    point.closed = probe->closed;
    point.goodput_per_s = 800;  // 8 threads that wait 10 ms: 128 turn over in 160 ms, 256 in 320
    point.valid = true;
    search.add(point);
  }
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{64, 128}));
}

TEST(Search, MeasuresThePlateauAgainInEveryFurtherBlock) {
  Search search(with_slo(5e6));
  drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  const auto loops = [&](int index) {
    std::vector<std::uint64_t> result;
    for (const Probe& probe : search.block(index)) {
      if (probe.closed > 0) result.push_back(probe.closed);
    }
    return result;
  };
  EXPECT_TRUE(loops(0).empty());  // there the search itself has
  EXPECT_EQ(loops(1).size(), 1U);
  EXPECT_EQ(loops(1), loops(2));
}

TEST(Search, ShufflesEveryBlockDifferentlyAndRepeatably) {
  Search search(with_slo(5e6));
  drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  const auto rates = [&](int index) {
    std::vector<double> result;
    for (const Probe& probe : search.block(index)) result.push_back(probe.rate_per_s);
    return result;
  };
  EXPECT_EQ(rates(3), rates(3));
  EXPECT_NE(rates(0), rates(1));
  auto first = rates(0), second = rates(1);
  std::erase(second, 0);  // the closed loop, see below
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.size(), 6U + 2U + 4U);
}

TEST(Search, GivesEveryRateOfABlockASequenceThatModelsShare) {
  const auto sequences_of = [](double capacity, double highest) {
    SearchOptions options = with_slo(2e6);
    options.highest_rate_per_s = highest;
    Search search(options);
    drive(search, [&](const Probe& probe) { return ideal(probe, capacity); });
    std::map<int, double> rates;
    for (const Probe& probe : search.block(1)) {
      if (probe.closed > 0) continue;
      EXPECT_TRUE(rates.emplace(probe.sequence, probe.rate_per_s / capacity).second);
    }
    return rates;
  };
  const auto slow = sequences_of(1000, 0), fast = sequences_of(64'000, 0);
  EXPECT_GE(slow.size(), 8u);
  ASSERT_EQ(slow.size(), fast.size());
  for (const auto& [sequence, load] : slow) EXPECT_NEAR(fast.at(sequence) / load, 1, 0.1);
  // One that cannot be offered some of the rates plays the same at the others.
  const auto limited = sequences_of(1000, 600);
  EXPECT_LT(limited.size(), slow.size());
  for (const auto& [sequence, load] : limited) EXPECT_NEAR(slow.at(sequence) / load, 1, 0.1);
}

TEST(Search, MeasuresNamedRatesInEveryBlockWithSequencesOfTheirOwn) {
  const std::set<double> wanted = {100, 500, 2000};
  const auto searched = [](std::vector<double> rates) {
    SearchOptions options = with_slo(2e6);
    options.rates = std::move(rates);
    Search search(options);
    drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
    return search;
  };
  const Search plain = searched({});
  Search search = searched({100, 500, 2000});
  search.settle();  // which leaves out what is not needed for the cliff
  for (const int block : {0, 1}) {
    std::set<double> rates;
    std::set<int> named, others;
    for (const Probe& probe : search.block(block)) {
      if (!wanted.contains(probe.rate_per_s)) continue;
      EXPECT_EQ(probe.phase, Phase::grid);
      rates.insert(probe.rate_per_s);
      named.insert(probe.sequence);
    }
    for (const Probe& probe : plain.block(block)) others.insert(probe.sequence);
    EXPECT_EQ(rates, wanted);
    EXPECT_EQ(named.size(), 3U);
    for (const int sequence : named) EXPECT_FALSE(others.contains(sequence));
  }
}

TEST(Search, AddsRatesTowardsThePlateauOnlyAboveTheCoarseOneAndApartFromOthers) {
  SearchOptions options = with_slo(2e6);
  options.towards_plateau = {0.3, 0.8, 0.92};
  Search search(options);
  drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  EXPECT_EQ(search.block(0).size(), 6U + 2U + 4U + 2U);
}

TEST(Search, MovesTheRefiningRatesToWhereTheBlocksShowTheCliff) {
  // A coarse search that was 20% too optimistic: the cliff of the blocks is at 800 x 0.8.
  Search search(with_slo(5e6));
  drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  const auto refining = [](const std::vector<Probe>& probes) {
    std::vector<double> rates;
    for (const Probe& probe : probes) {
      if (probe.phase == Phase::refine) rates.push_back(probe.rate_per_s);
    }
    std::sort(rates.begin(), rates.end());
    return rates;
  };
  const std::vector<double> before = refining(search.block(1));
  EXPECT_GT(before.front(), 0.78 * 800);
  for (const Probe& probe : search.block(0)) search.learn(ideal(probe, 800));
  const std::vector<double> after = refining(search.block(1));
  EXPECT_LT(after.front(), 0.85 * 640);
  EXPECT_GT(after.back(), 1.08 * 640);
  EXPECT_LT(after.back(), 1.25 * 640);
}

TEST(Search, LooksBetweenARateThatHoldsAndOnesThatLoseTooMuch) {
  // The coarse trials lost nothing by chance. The blocks lose from 450/s on, and of their rates
  // only one far below holds.
  SearchOptions options = with_slo(20e6);
  options.grid = {0.5};
  Search search(options);
  drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  const auto loses = [](const Probe& probe) {
    Point point = ideal(probe, 1000);
    if (probe.closed == 0) point.loss = probe.rate_per_s < 480 ? 0 : 0.01;
    return point;
  };
  for (const Probe& probe : search.block(0)) search.learn(loses(probe));
  int holding = 0;
  for (const Probe& probe : search.block(1)) {
    if (probe.phase != Phase::refine) continue;
    EXPECT_LT(probe.rate_per_s, 800);
    holding += probe.rate_per_s < 600 ? 1 : 0;
  }
  EXPECT_GE(holding, 2);
}

TEST(Search, SettledItSpendsItsBlocksAroundTheCliff) {
  Search search(with_slo(5e6));
  drive(search, [](const Probe& probe) { return ideal(probe, 1000); });
  for (const Probe& probe : search.block(0)) search.learn(ideal(probe, 1000));
  search.settle();
  const std::vector<Probe> block = search.block(1);
  EXPECT_GE(block.size(), 4u);
  for (const Probe& probe : block) {
    EXPECT_EQ(probe.phase, Phase::refine);
    EXPECT_NEAR(probe.rate_per_s / 800, 1, 0.15);
  }
}

}  // namespace
}  // namespace precipice
