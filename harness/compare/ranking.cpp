#include "harness/compare/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "harness/compare/pair_side.hpp"
#include "harness/compare/pair_test.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
void finish_ranking(Ranking& ranking) {
  const std::size_t n = ranking.rows.size();
  std::vector<double> found;
  // A bound gives no ratios, so the highest that is a number stands for the first.
  std::size_t first = 0;
  while (first < n && ranking.rows[first].estimate.reached != Reached::ok) ++first;
  for (std::size_t j = 0; j < n && first < n; ++j) {
    Comparison& to_first = ranking.rows[j].to_first;
    if (j > first) to_first = ranking.pair(first, j);
    to_first.figure = ranking.figure;
    to_first.a = ranking.rows[first].estimate;
    to_first.b = ranking.rows[j].estimate;
    if (j == first) to_first.ratio = 1;
  }
  for (const Comparison& each : ranking.pairs) {
    if (each.ratio > 0 && std::isfinite(each.detectable)) found.push_back(each.detectable);
  }
  if (!found.empty()) ranking.detectable = median(found);
  if (ranking.blocks < kLeastBlocks) return;

  // Compact letter display by insertion and absorption (H.-P. Piepho, 2004): a letter for each
  // largest set of rows of which no two were told apart.
  std::vector<std::size_t> ranked;
  for (std::size_t i = 0; i < n; ++i) {
    if (ranking.rows[i].estimate.reached != Reached::unmeasured) ranked.push_back(i);
  }
  std::vector<std::set<std::size_t>> sets = {{ranked.begin(), ranked.end()}};
  for (std::size_t x = 0; x < ranked.size(); ++x) {
    for (std::size_t y = x + 1; y < ranked.size(); ++y) {
      const Difference verdict = ranking.pair(ranked[x], ranked[y]).verdict;
      if (verdict != Difference::a_higher && verdict != Difference::b_higher) continue;
      std::vector<std::set<std::size_t>> next;
      const auto keep = [&next](std::set<std::size_t> set) {
        const bool inside = std::any_of(next.begin(), next.end(), [&](const auto& other) {
          return std::includes(other.begin(), other.end(), set.begin(), set.end());
        });
        if (inside) return;
        std::erase_if(next, [&](const auto& other) {
          return std::includes(set.begin(), set.end(), other.begin(), other.end());
        });
        next.push_back(std::move(set));
      };
      for (const std::set<std::size_t>& set : sets) {
        if (!set.contains(ranked[x]) || !set.contains(ranked[y])) {
          keep(set);
          continue;
        }
        std::set<std::size_t> left = set, right = set;
        left.erase(ranked[y]);
        right.erase(ranked[x]);
        keep(std::move(left));
        keep(std::move(right));
      }
      sets = std::move(next);
    }
  }
  std::sort(sets.begin(), sets.end());
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const char letter = static_cast<char>(i < 26 ? 'a' + i : 'A' + (i - 26) % 26);
    for (const std::size_t row : sets[i]) ranking.rows[row].groups += letter;
  }
}

RunRanking rank_models(const CampaignResult& result, const ComparisonOptions& options) {
  RunRanking all;
  all.blocks = result.blocks_done;
  std::vector<const Spec*> workloads;
  for (const CellSummary& cell : result.cells) {
    const std::string name = cell.workload.to_string();
    if (std::none_of(workloads.begin(), workloads.end(),
                     [&](const Spec* known) { return known->to_string() == name; }))
      workloads.push_back(&cell.workload);
  }
  std::vector<PairedTest> tests;
  std::vector<std::size_t> family;
  for (const Spec* workload : workloads) {
    for (const char* figure : {"cliff", "saturation"}) {
      Ranking ranking;
      ranking.workload = *workload;
      ranking.figure = figure;
      ranking.blocks = result.blocks_done;
      std::vector<std::pair<const CellSummary*, PairSide>> sides;
      for (const CellSummary& cell : result.cells) {
        if (cell.workload.to_string() == workload->to_string())
          sides.emplace_back(&cell, side_of(cell, figure, cell.slo_ns, {}));
      }
      std::stable_sort(sides.begin(), sides.end(), [](const auto& x, const auto& y) {
        const auto value = [](const PairSide& side) {
          const bool known = side.failure.empty() && side.estimate.reached != Reached::unmeasured &&
                             std::isfinite(side.estimate.value);
          return known ? side.estimate.value : -1;
        };
        return value(x.second) > value(y.second);
      });
      for (std::size_t i = 0; i < sides.size(); ++i) {
        ranking.rows.push_back({.model = sides[i].first->model,
                                .estimate = sides[i].second.estimate,
                                .to_first = {},
                                .groups = {}});
        for (std::size_t j = i + 1; j < sides.size(); ++j) {
          PairedTest test = pair_up(sides[i].second, sides[j].second, options);
          test.comparison.figure = figure;
          tests.push_back(std::move(test));
          family.push_back(all.rankings.size());
        }
      }
      if (sides.size() == 1) ranking.detectable = detectable_alone(sides.front().second);
      all.rankings.push_back(std::move(ranking));
    }
  }
  all.tests = decide(tests, family, options);
  std::size_t next = 0;
  for (Ranking& ranking : all.rankings) {
    const std::size_t n = ranking.rows.size();
    for (std::size_t k = 0; k < n * (n - 1) / 2; ++k)
      ranking.pairs.push_back(std::move(tests[next++].comparison));
    finish_ranking(ranking);
  }
  return all;
}

}  // namespace precipice
