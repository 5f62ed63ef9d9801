// A whole cell on the virtual clock: plateau, coarse search, blocks, analysis. What a campaign
// does, without calibration, repeats or a journal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/search.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/random.hpp"

namespace precipice::testing {

struct CellPlan {
  std::map<std::string, std::string> oracle;  ///< its keys
  double mean_ns = 1e6;
  double slo_ns = 10e6;
  Nanos window = std::chrono::seconds(100);
  Nanos coarse_window = std::chrono::seconds(50);
  Nanos drain = std::chrono::seconds(1);
  int blocks = 9;
  std::uint64_t seed = 1;
  Arrivals arrivals;
  SearchOptions search;
};

struct Cell {
  CellResult result;
  double coarse = 0;
  int probes = 0;
  std::vector<Point> points;
};

inline Trial simulate(const CellPlan& plan, const Probe& probe, Nanos window, std::uint64_t seed) {
  TrialRequest request;
  request.model = {"oracle", plan.oracle};
  request.workload = {"empty", {}};
  request.rate_per_s = probe.rate_per_s;
  request.closed = probe.closed;
  request.window = window;
  request.warmup = std::max<Nanos>(std::chrono::milliseconds(300),
                                   Nanos(static_cast<std::int64_t>(1000 * plan.mean_ns)));
  request.drain = plan.drain;
  request.seed = seed;
  request.arrivals = plan.arrivals;
  request.slo = Nanos(static_cast<std::int64_t>(plan.slo_ns));
  request.clock = ClockKind::virtual_time;
  return simulate_trial(request);
}

inline Cell search_cell(const CellPlan& plan) {
  Cell cell;
  SearchOptions options = plan.search;
  options.slo_ns = plan.slo_ns;
  options.seed = plan.seed;
  options.highest_closed = 256;
  Search search(options);
  while (const auto probe = search.next()) {
    const Point point =
        point_of(simulate(plan, *probe, plan.coarse_window, mix64(plan.seed)), probe->phase, 0);
    cell.points.push_back(point);
    search.add(point);
    ++cell.probes;
  }
  cell.coarse = search.coarse_rate_per_s();
  for (int block = 0; block < plan.blocks; ++block) {
    for (const Probe& probe : search.block(block)) {
      const std::uint64_t seed = mix64(plan.seed ^ mix64(1000 + static_cast<std::uint64_t>(block)));
      cell.points.push_back(point_of(simulate(plan, probe, plan.window, seed), probe.phase, block));
    }
  }
  CliffOptions cliff;
  cliff.slo_ns = plan.slo_ns;
  cliff.service_time_ns = plan.mean_ns;
  cliff.window_s = std::chrono::duration<double>(plan.window).count();
  cliff.seed = plan.seed;
  cliff.bootstrap = 400;
  cell.result = analyse(cell.points, cliff);
  return cell;
}

}  // namespace precipice::testing
