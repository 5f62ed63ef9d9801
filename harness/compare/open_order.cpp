#include "harness/compare/open_order.hpp"

#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "harness/compare/pair_types.hpp"
#include "harness/compare/ranking.hpp"

namespace precipice {
namespace {

bool decided(const Comparison& comparison) {
  return comparison.verdict == Difference::a_higher || comparison.verdict == Difference::b_higher;
}

}  // namespace

std::vector<bool> order_open(const CampaignResult& so_far) {
  using Pair = std::pair<std::string, std::string>;
  std::map<std::string, std::map<Pair, bool>> tested;  // by workload: whether the pair is decided
  for (const Ranking& ranking : rank_models(so_far, {.alpha = kInterimLevel}).rankings) {
    std::map<Pair, bool>& pairs = tested[ranking.workload.to_string()];
    for (std::size_t i = 0; i < ranking.rows.size(); ++i) {
      for (std::size_t j = i + 1; j < ranking.rows.size(); ++j) {
        const Comparison& comparison = ranking.pair(i, j);
        if (std::isnan(comparison.p)) continue;
        Pair pair{ranking.rows[i].model.to_string(), ranking.rows[j].model.to_string()};
        if (pair.second < pair.first) std::swap(pair.first, pair.second);
        pairs.emplace(std::move(pair), decided(comparison));  // the cliffs come first
      }
    }
  }
  std::vector<bool> open;
  for (const CellSummary& cell : so_far.cells) {
    const std::string model = cell.model.to_string();
    bool any = false;
    for (const auto& [pair, is_decided] : tested[cell.workload.to_string()])
      any = any || (!is_decided && (pair.first == model || pair.second == model));
    open.push_back(any);
  }
  return open;
}

}  // namespace precipice
