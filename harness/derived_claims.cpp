#include "harness/derived_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/spec.hpp"

namespace precipice {
namespace {

using Cells = std::vector<const CellSummary*>;

bool known(const Estimate& e) {
  return e.reached == "ok" && e.value > 0 && std::isfinite(e.low) && std::isfinite(e.high) &&
         e.low > 0;
}

/// Half the interval as a share of the value.
double half_width(const Estimate& e) { return (e.high - e.low) / (2 * e.value); }

double tolerance_of(const Estimate& a, const Estimate& b, const DerivedClaimOptions& options) {
  return std::max(options.tolerance, options.times_uncertainty * (half_width(a) + half_width(b)));
}

/// Surely a higher than b: the least that a can be is more than the most that b can be.
bool separated(const Estimate& a, const Estimate& b) {
  const bool bounded_below = a.reached == "above" || known(a);
  const bool bounded_above = b.reached == "below" || known(b);
  if (!bounded_below || !bounded_above || !(a.value > 0) || !(b.value > 0)) return false;
  return a.low > b.high;
}

std::string call(const char* figure, const CellSummary& cell) {
  return fmt::format("{}({}, {})", figure, cell.model.to_string(), cell.workload.to_string());
}

void add_orders(const Cells& cells, const char* figure, const Estimate CellResult::*of,
                std::vector<Claim>& claims) {
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
      claims.push_back({fmt::format("{}: {} has a higher {} than {}", label(a->workload),
                                    label(a->model), figure, label(b->model)),
                        call(figure, *a) + " > " + call(figure, *b)});
    }
  }
}

void add_ratios(const Cells& cells, const DerivedClaimOptions& options,
                std::vector<Claim>& claims) {
  const CellSummary* best = nullptr;
  for (const CellSummary* cell : cells) {
    if (known(cell->result.saturation) &&
        (best == nullptr || cell->result.saturation.value > best->result.saturation.value))
      best = cell;
  }
  for (const CellSummary* cell : cells) {
    const Estimate& own = cell->result.saturation;
    if (best == nullptr || cell == best || !known(own)) continue;
    const double tolerance = tolerance_of(own, best->result.saturation, options);
    const double ratio = own.value / best->result.saturation.value;
    if (tolerance > options.widest) continue;
    claims.push_back({fmt::format("{}: {} saturates at {:.3g} times {}", label(cell->workload),
                                  label(cell->model), ratio, label(best->model)),
                      fmt::format("{} within {:.0f}% of {:.6f} * {}", call("saturation", *cell),
                                  100 * tolerance, ratio, call("saturation", *best))});
  }
}

void add_shares(const Cells& cells, const DerivedClaimOptions& options,
                std::vector<Claim>& claims) {
  for (const CellSummary* cell : cells) {
    const Estimate &cliff = cell->result.cliff, &saturation = cell->result.saturation;
    if (!known(cliff) || !known(saturation)) continue;
    const double tolerance = tolerance_of(cliff, saturation, options);
    const double share = cliff.value / saturation.value;
    if (tolerance > options.widest) continue;
    claims.push_back({fmt::format("{}: the cliff of {} lies at {:.0f}% of its saturation",
                                  label(cell->workload), label(cell->model), 100 * share),
                      fmt::format("{} / {} within {:.0f}% of {:.6f}", call("cliff", *cell),
                                  call("saturation", *cell), 100 * tolerance, share)});
  }
}

}  // namespace

std::vector<Claim> derived_claims(const CampaignResult& run, const DerivedClaimOptions& options) {
  std::vector<std::pair<std::string, Cells>> workloads;
  for (const CellSummary& cell : run.cells) {
    if (!cell.failure.empty()) continue;
    const std::string name = cell.workload.to_string();
    auto found = std::find_if(workloads.begin(), workloads.end(),
                              [&](const auto& each) { return each.first == name; });
    if (found == workloads.end()) found = workloads.insert(found, {name, {}});
    found->second.push_back(&cell);
  }
  std::vector<Claim> claims;
  for (const auto& [name, cells] : workloads) {
    add_orders(cells, "saturation", &CellResult::saturation, claims);
    add_orders(cells, "cliff", &CellResult::cliff, claims);
    add_ratios(cells, options, claims);
    add_shares(cells, options, claims);
  }
  return claims;
}

}  // namespace precipice
