// A cell whose blocks scatter as they are told to: a scripted truth for what is read out of runs.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "models/random.hpp"

namespace precipice::testing {

/// The sum of twelve uniform numbers less six: near enough to a normal one.
inline double gaussian(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random.below(1u << 30)) / (1u << 30);
  return sum;
}

struct Script {
  Spec model{"fixed_pool", {{"threads", "20"}}};
  Spec workload{"sleep", {{"wait", "5ms"}}};
  double capacity_per_s = 4000;
  double scatter = 0.02;        ///< of a block, seen by all its trials
  double trial_scatter = 0.01;  ///< of each trial besides
  int blocks = 9;
  double slo_ns = 5e6;
  std::uint64_t seed = 1;
  std::vector<double> speed_ns;  ///< of the probe by block; capacity follows it: 1e5 is nominal
  std::vector<double> refine = {0.80, 0.86, 0.92, 0.98, 1.05, 1.14};
  double centre = 1;  ///< refined around the true cliff times this
};

/// p99 of one queue of M/M/1 form: 4.605 S / (1 - load).
inline CellSummary cell_of(const Script& script) {
  Random random(mix64(script.seed));
  CellSummary cell;
  cell.model = script.model;
  cell.workload = script.workload;
  cell.slo_ns = cell.options.slo_ns = script.slo_ns;
  cell.options.window_s = 1;
  cell.options.bootstrap = 40;
  const auto p99 = [](double rate, double capacity) {
    return rate < capacity ? 4.605e9 / (capacity - rate) : 1e9;
  };
  for (int block = 0; block < script.blocks; ++block) {
    double capacity = script.capacity_per_s * std::exp(script.scatter * gaussian(random));
    if (!script.speed_ns.empty()) {
      const double speed_ns = script.speed_ns[static_cast<std::size_t>(block)];
      capacity *= 1e5 / speed_ns;
      Record record;
      record.block = block;
      record.used = true;
      record.trial.speed_ns = speed_ns;
      cell.points.push_back(record);
    }
    const auto add = [&](Phase phase, double rate, std::uint64_t closed) {
      const double own = capacity * std::exp(script.trial_scatter * gaussian(random));
      Point point;
      point.phase = phase;
      point.block = block;
      point.closed = closed;
      point.rate_per_s = closed > 0 ? 0 : rate;
      point.stable = closed > 0 || rate < own;
      point.offered_per_s = closed > 0 ? own : rate;
      point.goodput_per_s = point.stable && closed == 0 ? rate : own;
      point.slo_percentile_ns = point.mean_response_ns = p99(rate, own);
      point.requests = static_cast<std::uint64_t>(rate);
      point.valid = true;
      cell.evidence.push_back(point);
    };
    const double cliff = (script.capacity_per_s - 4.605e9 / script.slo_ns) * script.centre;
    for (const double times : script.refine) add(Phase::refine, times * cliff, 0);
    add(Phase::overload, 1.5 * script.capacity_per_s, 0);
    add(Phase::plateau, script.capacity_per_s, 64);
  }
  cell.result = analyse(cell.evidence, cell.options);
  return cell;
}

inline CampaignResult run_of(std::vector<CellSummary> cells, int blocks = 9) {
  CampaignResult run;
  run.cells = std::move(cells);
  run.blocks_done = blocks;
  return run;
}

}  // namespace precipice::testing
