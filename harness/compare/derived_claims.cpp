#include "harness/compare/derived_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/compare/claim_verdict.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

using Cells = std::vector<const CellSummary*>;

/// What may be claimed, before the run itself is asked.
struct Candidate {
  Claim claim;
  std::string left, right;  ///< of `left within T% of right`; "" for an order
};

bool known(const Estimate& e) {
  return e.reached == Reached::ok && e.value > 0 && std::isfinite(e.low) && std::isfinite(e.high) &&
         e.low > 0;
}

/// Surely a higher than b: the least that a can be is more than the most that b can be.
bool separated(const Estimate& a, const Estimate& b) {
  const bool bounded_below = a.reached == Reached::above || known(a);
  const bool bounded_above = b.reached == Reached::below || known(b);
  if (!bounded_below || !bounded_above || !(a.value > 0) || !(b.value > 0)) return false;
  return a.low > b.high;
}

std::string call(const char* figure, const CellSummary& cell) {
  return fmt::format("{}({}, {})", figure, cell.model.to_string(), cell.workload.to_string());
}

void add_orders(const Cells& cells, const char* figure, const Estimate CellResult::*of,
                std::vector<Candidate>& found) {
  const auto above = [&](const CellSummary* a, const CellSummary* b) {
    return separated(a->result.*of, b->result.*of);
  };
  for (const CellSummary* a : cells) {
    for (const CellSummary* b : cells) {
      if (!above(a, b)) continue;
      // a > c > b says it already.
      if (std::any_of(cells.begin(), cells.end(),
                      [&](const CellSummary* c) { return above(a, c) && above(c, b); }))
        continue;
      found.push_back({{fmt::format("{}: {} has a higher {} than {}", label(a->workload),
                                    label(a->model), figure, label(b->model)),
                        call(figure, *a) + " > " + call(figure, *b)},
                       "",
                       ""});
    }
  }
}

std::string within(const Candidate& candidate, double tolerance) {
  return fmt::format("{} within {:.0f}% of {}", candidate.left, std::ceil(100 * tolerance),
                     candidate.right);
}

void add_ratios(const Cells& cells, std::vector<Candidate>& found) {
  const CellSummary* best = nullptr;
  for (const CellSummary* cell : cells) {
    if (known(cell->result.saturation) &&
        (best == nullptr || cell->result.saturation.value > best->result.saturation.value))
      best = cell;
  }
  for (const CellSummary* cell : cells) {
    const Estimate& own = cell->result.saturation;
    if (best == nullptr || cell == best || !known(own)) continue;
    const double ratio = own.value / best->result.saturation.value;
    found.push_back({{fmt::format("{}: {} saturates at {:.3g} times {}", label(cell->workload),
                                  label(cell->model), ratio, label(best->model)),
                      ""},
                     call("saturation", *cell),
                     fmt::format("{:.6f} * {}", ratio, call("saturation", *best))});
  }
}

void add_shares(const Cells& cells, std::vector<Candidate>& found) {
  for (const CellSummary* cell : cells) {
    const Estimate &cliff = cell->result.cliff, &saturation = cell->result.saturation;
    if (!known(cliff) || !known(saturation)) continue;
    const double share = cliff.value / saturation.value;
    found.push_back({{fmt::format("{}: the cliff of {} lies at {:.0f}% of its saturation",
                                  label(cell->workload), label(cell->model), 100 * share),
                      ""},
                     call("cliff", *cell) + " / " + call("saturation", *cell),
                     fmt::format("{:.6f}", share)});
  }
}

}  // namespace

std::vector<Claim> derived_claims(Plan plan, const CampaignResult& run,
                                  const DerivedClaimOptions& options) {
  std::vector<std::pair<std::string, Cells>> workloads;
  for (const CellSummary& cell : run.cells) {
    if (!cell.failure.empty()) continue;
    const std::string name = cell.workload.to_string();
    auto found = std::find_if(workloads.begin(), workloads.end(),
                              [&](const auto& each) { return each.first == name; });
    if (found == workloads.end()) found = workloads.insert(found, {name, {}});
    found->second.push_back(&cell);
  }
  std::vector<Candidate> candidates;
  for (const auto& [name, cells] : workloads) {
    add_orders(cells, "saturation", &CellResult::saturation, candidates);
    add_orders(cells, "cliff", &CellResult::cliff, candidates);
    add_ratios(cells, candidates);
    add_shares(cells, candidates);
  }
  plan.claims.clear();
  for (Candidate& each : candidates) {
    if (!each.left.empty()) each.claim.that = within(each, options.widest);
    plan.claims.push_back(each.claim);
  }
  const std::vector<ClaimVerdict> verdicts = judge_claims(plan, run);
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const ClaimVerdict& verdict = verdicts[i];
    if (verdict.outcome != ClaimOutcome::holds) continue;
    if (!candidates[i].left.empty()) {
      const double half =
          std::max(verdict.high / verdict.value - 1, 1 - verdict.low / verdict.value);
      const double tolerance = std::max(options.tolerance, options.times_uncertainty * half);
      // Not a number where there is no interval: nothing to hold a repetition against.
      if (!(tolerance <= options.widest)) continue;
      candidates[i].claim.that = within(candidates[i], tolerance);
    }
    claims.push_back(std::move(candidates[i].claim));
  }
  return claims;
}

}  // namespace precipice
