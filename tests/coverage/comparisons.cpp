#include "tests/coverage/comparisons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/pair_types.hpp"
#include "harness/compare/ranking.hpp"

namespace precipice::coverage {
namespace {

/// The same queue in faster time: every rate of it is higher by this share.
Queue faster(Queue queue, double share) {
  queue.model.given["mean"] = fmt::format("{:.0f}ns", 1e6 / (1 + share));
  return queue;
}

Ranking ranking_of(std::vector<CellSummary> cells, const char* figure) {
  CampaignResult run;
  for (const CellSummary& cell : cells) {
    int blocks = 0;
    for (const Point& point : cell.evidence) blocks = std::max(blocks, point.block + 1);
    run.blocks_done = std::max(run.blocks_done, blocks);
  }
  run.cells = std::move(cells);
  RunRanking all = rank_models(run);
  return std::move(all.rankings[std::string(figure) == "cliff" ? 0 : 1]);
}

bool compared(const Comparison& c) { return c.verdict != Difference::not_compared; }
bool apart(const Comparison& c) {
  return c.verdict == Difference::a_higher || c.verdict == Difference::b_higher;
}

bool is_first(const Ranking& ranking, const Spec& model) {
  return ranking.rows.front().model.to_string() == model.to_string();
}

ComparisonTally one_family(const Queue& queue, const Plan& plan, const char* figure,
                           const ComparisonStudy& study, std::uint64_t seed) {
  std::vector<CellSummary> cells;
  for (int i = 0; i < study.models; ++i)
    cells.push_back(searched(queue, plan, seed + static_cast<std::uint64_t>(i)));
  const std::uint64_t other =
      study.common_luck ? seed : seed + static_cast<std::uint64_t>(study.models);
  CellSummary planted = searched(faster(queue, study.difference), plan, other);
  const Spec fast = planted.model;

  ComparisonTally tally;
  tally.families = 1;
  for (const Comparison& c : ranking_of(cells, figure).pairs) {
    tally.pairs += compared(c);
    tally.apart += apart(c);
  }
  tally.alarms = tally.apart > 0;
  const Ranking pair = ranking_of({cells.front(), planted}, figure);
  const Comparison& c = pair.pairs.front();
  tally.planted = compared(c);
  tally.found = apart(c) && is_first(pair, fast);
  if (c.low95 > 0 && c.high95 > 0) tally.log_widths = std::log(c.high95 / c.low95);
  cells.push_back(std::move(planted));
  const Ranking all = ranking_of(std::move(cells), figure);
  tally.found_in_family = is_first(all, fast) &&
                          std::all_of(all.pairs.begin(), all.pairs.begin() + study.models, apart);
  return tally;
}

}  // namespace

ComparisonTally compare_equals(const Queue& queue, const Plan& plan, const char* figure,
                               const ComparisonStudy& study) {
  ComparisonTally total;
  std::mutex mutex;
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < study.families; i = next++) {
      const auto seed =
          study.seed + static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(study.models + 1);
      const ComparisonTally one = one_family(queue, plan, figure, study, seed);
      const std::scoped_lock lock(mutex);
      total.families += one.families;
      total.alarms += one.alarms;
      total.pairs += one.pairs;
      total.apart += one.apart;
      total.planted += one.planted;
      total.found += one.found;
      total.found_in_family += one.found_in_family;
      total.log_widths += one.log_widths;
    }
  };
  std::vector<std::jthread> threads;
  for (int j = 1; j < study.jobs; ++j) threads.emplace_back(work);
  work();
  threads.clear();
  return total;
}

}  // namespace precipice::coverage
