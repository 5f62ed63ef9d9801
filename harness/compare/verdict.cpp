#include "harness/compare/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace precipice {
namespace {

bool apart(const Comparison& c) {
  return c.verdict == Difference::a_higher || c.verdict == Difference::b_higher;
}
bool alike(const Comparison& c) {
  return c.verdict == Difference::indistinguishable ||
         c.verdict == Difference::no_relevant_difference;
}

/// Row j of the ranking as a share of row `first`.
WorkloadVerdict::Row row_of(const Ranking& ranking, std::size_t first, std::size_t j) {
  const Estimate& top = ranking.rows[first].estimate;
  WorkloadVerdict::Row row;
  row.model = ranking.rows[j].model;
  row.cliff = ranking.rows[j].estimate;
  row.groups = ranking.rows[j].groups;
  if (j == first) {
    row.share = 1;
    row.reached = Reached::ok;
    return row;
  }
  const Comparison& c = ranking.pair(first, j);
  row.apart = apart(c);
  const double of_values = row.cliff.value / top.value;
  if (c.ratio > 0) {
    row.share = c.ratio;
    row.low = c.low;
    row.high = c.high;
    row.reached = Reached::ok;
  } else if (row.cliff.reached == top.reached && top.reached != Reached::ok) {
    row.reached = Reached::unmeasured;  // two bounds to the same side
  } else if (std::isfinite(of_values)) {
    row.share = of_values;
    row.reached = top.reached == Reached::above || row.cliff.reached == Reached::below
                      ? Reached::below
                  : row.cliff.reached == Reached::above ? Reached::above
                                                        : Reached::ok;
  }
  return row;
}

WorkloadVerdict verdict_of(const CampaignResult& result, const Ranking& ranking) {
  WorkloadVerdict verdict;
  verdict.workload = ranking.workload;
  verdict.blocks = ranking.blocks;
  for (const CellSummary& cell : result.cells) {
    if (!(cell.slo_ns > 0) || cell.workload.to_string() != ranking.workload.to_string()) continue;
    verdict.slo_ns = cell.slo_ns;
    verdict.slo_percentile = cell.slo_percentile;
    break;
  }
  std::vector<std::size_t> ranked;
  for (std::size_t i = 0; i < ranking.rows.size(); ++i) {
    const Estimate& e = ranking.rows[i].estimate;
    if (e.reached == Reached::unmeasured || !std::isfinite(e.value) || !(e.value > 0))
      verdict.unmeasured.push_back(ranking.rows[i].model);
    else if (e.reached == Reached::below)
      verdict.none.push_back(row_of(ranking, i, i));
    else
      ranked.push_back(i);
  }
  if (ranked.empty()) {
    verdict.kind = verdict.none.empty() ? VerdictKind::unmeasured : VerdictKind::none_holds;
    return verdict;
  }
  const std::size_t first = ranked.front();
  std::vector<std::size_t> best = {first};
  bool settled = true;
  for (std::size_t k = 1; k < ranked.size(); ++k) {
    const auto with = [&](std::size_t i) -> const Comparison& {
      return ranking.pair(i, ranked[k]);
    };
    if (std::any_of(best.begin(), best.end(), [&](std::size_t i) { return apart(with(i)); })) {
      verdict.rest.push_back(row_of(ranking, first, ranked[k]));
      continue;
    }
    for (const std::size_t i : best) settled = settled && alike(with(i));
    best.push_back(ranked[k]);
  }
  for (const std::size_t i : best) verdict.best.push_back(row_of(ranking, first, i));
  verdict.kind = !settled            ? VerdictKind::open
                 : best.size() > 1   ? VerdictKind::alike
                 : ranked.size() > 1 ? VerdictKind::winner
                                     : VerdictKind::single;
  return verdict;
}

}  // namespace

const char* to_string(VerdictKind kind) {
  constexpr const char* names[] = {"unmeasured", "none holds", "single", "winner", "alike", "open"};
  return names[static_cast<int>(kind)];
}

std::vector<WorkloadVerdict> verdicts_of(const CampaignResult& result, const RunRanking& ranking) {
  std::vector<WorkloadVerdict> verdicts;
  for (const Ranking& each : ranking.rankings) {
    if (each.figure == "cliff") verdicts.push_back(verdict_of(result, each));
  }
  return verdicts;
}

}  // namespace precipice
