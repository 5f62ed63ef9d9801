#include "tests/coverage/comparisons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/open_order.hpp"
#include "harness/compare/pair_types.hpp"
#include "harness/compare/ranking.hpp"
#include "models/random.hpp"
#include "tests/support/memory_host.hpp"

namespace precipice::coverage {
namespace {

/// A model of a family: the same queue in faster time, every rate of it higher by this share.
struct Member {
  Spec model;
  std::uint64_t seed = 0;
};

/// `i` makes it another series, and one in a million slower.
Member member(const Queue& queue, double share, int i, std::uint64_t seed) {
  Member result{queue.model, seed};
  result.model.given["mean"] = fmt::format("{:.0f}ns", 1e6 / (1 + share) + i);
  return result;
}

/// Each series has arrivals and draws of its own. Trials are simulated once for all campaigns that
/// want them.
class FamilyHost final : public testing::MemoryHost {
 public:
  explicit FamilyHost(const std::vector<Member>& members) : members_(members) {}
  Trial measure(const TrialRequest& request) override {
    const std::string name = request.model.to_string();
    const Key key{name, request.seed, request.rate_per_s, request.closed, request.window.count()};
    const auto kept = trials_.find(key);
    if (kept != trials_.end()) return kept->second;
    TrialRequest own = request;
    for (const Member& each : members_) {
      if (each.model.to_string() == name) own.seed = mix64(request.seed ^ mix64(each.seed));
    }
    return trials_.emplace(key, MemoryHost::measure(own)).first->second;
  }

 private:
  using Key = std::tuple<std::string, std::uint64_t, double, std::uint64_t, std::int64_t>;
  const std::vector<Member>& members_;
  std::map<Key, Trial> trials_;
};

/// One run of these models.
std::vector<CellSummary> run_of(const std::vector<Member>& members, const Plan& plan,
                                const ComparisonStudy& study, FamilyHost& host) {
  Plan own = plan;
  own.models.clear();
  for (const Member& each : members) own.models.push_back(each.model);
  own.seed = members.front().seed;
  own.budget = std::chrono::hours(10'000);
  const int most = plan.blocks + study.further_blocks;
  return run_campaign(own, host,
                      [most](const CampaignResult& so_far) {
                        if (so_far.blocks_done < most) return order_open(so_far);
                        return std::vector<bool>(so_far.cells.size(), false);
                      })
      .cells;
}

int blocks_of(const CellSummary& cell) {
  int blocks = 0;
  for (const Point& point : cell.evidence) blocks = std::max(blocks, point.block + 1);
  return blocks;
}

/// Of the figures of kComparedFigures.
std::vector<Ranking> rankings_of(std::vector<CellSummary> cells) {
  CampaignResult run;
  for (const CellSummary& cell : cells)
    run.blocks_done = std::max(run.blocks_done, blocks_of(cell));
  run.cells = std::move(cells);
  return rank_models(run).rankings;
}

bool compared(const Comparison& c) { return c.verdict != Difference::not_compared; }
bool apart(const Comparison& c) {
  return c.verdict == Difference::a_higher || c.verdict == Difference::b_higher;
}

bool is_first(const Ranking& ranking, const Spec& model) {
  return ranking.rows.front().model.to_string() == model.to_string();
}

ComparisonTallies one_family(const Queue& queue, const Plan& plan, const ComparisonStudy& study,
                             std::uint64_t seed) {
  std::vector<Member> equals;
  for (int i = 0; i < study.models; ++i)
    equals.push_back(member(queue, 0, i, seed + static_cast<std::uint64_t>(i)));
  const std::uint64_t other =
      study.common_luck ? seed : seed + static_cast<std::uint64_t>(study.models);
  const Member planted = member(queue, study.difference, 0, other);
  std::vector<Member> everyone = equals;
  everyone.push_back(planted);
  FamilyHost host(everyone);

  const std::vector<CellSummary> all = run_of(everyone, plan, study, host);
  std::vector<CellSummary> pair = {all.front(), all.back()}, others(all.begin(), all.end() - 1);
  if (study.further_blocks > 0) {
    // What ends a run is the order of its models, so other models are another run.
    pair = run_of({equals.front(), planted}, plan, study, host);
    others = run_of(equals, plan, study, host);
  }
  const int blocks_of_pair = blocks_of(pair.front()) + blocks_of(pair.back());
  const std::vector<Ranking> of_all = rankings_of(all), of_pair = rankings_of(std::move(pair)),
                             of_equals = rankings_of(std::move(others));
  ComparisonTallies tallies;
  for (std::size_t figure = 0; figure < tallies.size(); ++figure) {
    ComparisonTally& tally = tallies[figure];
    tally.families = 1;
    for (const Comparison& c : of_equals[figure].pairs) {
      tally.pairs += compared(c);
      tally.apart += apart(c);
    }
    tally.alarms = tally.apart > 0;
    const Comparison& c = of_pair[figure].pairs.front();
    tally.planted = compared(c);
    tally.found = apart(c) && is_first(of_pair[figure], planted.model);
    if (c.low95 > 0 && c.high95 > 0) tally.log_widths = std::log(c.high95 / c.low95);
    tally.blocks_of_pairs = blocks_of_pair;
    const Ranking& family = of_all[figure];
    tally.found_in_family =
        is_first(family, planted.model) &&
        std::all_of(family.pairs.begin(), family.pairs.begin() + study.models, apart);
  }
  return tallies;
}

}  // namespace

void ComparisonTally::merge(const ComparisonTally& other) {
  families += other.families;
  alarms += other.alarms;
  pairs += other.pairs;
  apart += other.apart;
  planted += other.planted;
  found += other.found;
  found_in_family += other.found_in_family;
  log_widths += other.log_widths;
  blocks_of_pairs += other.blocks_of_pairs;
}

ComparisonTallies compare_equals(const Queue& queue, const Plan& plan,
                                 const ComparisonStudy& study) {
  ComparisonTallies total;
  std::mutex mutex;
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < study.families; i = next++) {
      const auto seed =
          study.seed + static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(study.models + 1);
      const ComparisonTallies one = one_family(queue, plan, study, seed);
      const std::scoped_lock lock(mutex);
      for (std::size_t figure = 0; figure < total.size(); ++figure)
        total[figure].merge(one[figure]);
    }
  };
  std::vector<std::jthread> threads;
  for (int j = 1; j < study.jobs; ++j) threads.emplace_back(work);
  work();
  threads.clear();
  return total;
}

}  // namespace precipice::coverage
