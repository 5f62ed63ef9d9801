#include "harness/compare/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "harness/capacity/record.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/compare/pair_side.hpp"
#include "harness/compare/pair_test.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

/// Time of the machine-speed probe in each block: the middle one of those before the cell's own
/// trials, else the one beside S_block.
std::map<int, double> speed_by_block(const CellSummary& cell, const CampaignResult& result) {
  std::map<int, std::vector<double>> probes;
  for (const Record& record : cell.points) {
    if (record.used && record.trial.speed_ns > 0)
      probes[record.block].push_back(record.trial.speed_ns);
  }
  std::map<int, double> speed;
  const auto beside = result.service_by_block.find(service_key(cell.model, cell.workload));
  if (beside != result.service_by_block.end()) {
    for (const auto& [block, calibration] : beside->second) {
      if (calibration.speed_ns > 0) speed[block] = calibration.speed_ns;
    }
  }
  for (auto& [block, values] : probes) speed[block] = median(std::move(values));
  return speed;
}

/// How a block's rates become rates of one and the same machine: times the probe's duration, times
/// the iterations that a nominal microsecond of work has. Logarithms; empty: no adjustment.
std::map<int, double> adjustment(const std::map<int, double>& speed, double iterations_per_us) {
  std::map<int, double> result;
  const double work = iterations_per_us > 0 ? std::log(iterations_per_us) : 0;
  for (const auto& [block, ns] : speed) result[block] = std::log(ns) + work;
  return result;
}

double mean_of(const std::map<int, double>& values) {
  double sum = 0;
  for (const auto& [block, value] : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// Equal labels first; then cells that are the only ones left of their model's and workload's names
/// on both sides.
std::vector<std::pair<const CellSummary*, const CellSummary*>> match(const CampaignResult& a,
                                                                     const CampaignResult& b,
                                                                     RunComparison& comparison) {
  std::vector<std::pair<const CellSummary*, const CellSummary*>> pairs;
  std::map<std::string, const CellSummary*> by_name;
  for (const CellSummary& cell : b.cells) by_name.emplace(cell_name(cell), &cell);
  using Kind = std::pair<std::string, std::string>;
  std::map<Kind, std::vector<const CellSummary*>> left_a, left_b;
  std::vector<std::pair<const CellSummary*, const CellSummary*>> equal;
  for (const CellSummary& cell : a.cells) {
    const auto found = by_name.find(cell_name(cell));
    if (found == by_name.end()) {
      left_a[{cell.model.name, cell.workload.name}].push_back(&cell);
    } else {
      pairs.emplace_back(&cell, found->second);
      by_name.erase(found);
    }
  }
  for (const CellSummary& cell : b.cells) {
    if (by_name.contains(cell_name(cell)))
      left_b[{cell.model.name, cell.workload.name}].push_back(&cell);
  }
  for (const auto& [kind, cells] : left_a) {
    const auto other = left_b.find(kind);
    if (cells.size() == 1 && other != left_b.end() && other->second.size() == 1) {
      pairs.emplace_back(cells.front(), other->second.front());
      left_b.erase(other);
      continue;
    }
    for (const CellSummary* cell : cells) comparison.only_a.push_back(cell_name(*cell));
  }
  for (const auto& [kind, cells] : left_b) {
    for (const CellSummary* cell : cells) comparison.only_b.push_back(cell_name(*cell));
  }
  return pairs;
}

/// What the probes say of the two runs' machine speeds, block against block.
void describe_speed(const std::map<int, double>& a, const std::map<int, double>& b,
                    ComparedCell& cell) {
  std::vector<double> logs;
  for (const auto& [block, ns] : a) {
    const auto other = b.find(block);
    if (other != b.end()) logs.push_back(std::log(ns / other->second));
  }
  if (logs.empty()) return;
  double sum = 0;
  for (const double each : logs) sum += each;
  cell.speed = std::expm1(sum / static_cast<double>(logs.size()));
  cell.speed_low = std::expm1(*std::min_element(logs.begin(), logs.end()));
  cell.speed_high = std::expm1(*std::max_element(logs.begin(), logs.end()));
}

}  // namespace

RunComparison compare_runs(const RunToCompare& a, const RunToCompare& b,
                           const ComparisonOptions& options) {
  RunComparison comparison;
  comparison.name_a = a.name;
  comparison.name_b = b.name;
  comparison.blocks_a = a.result->blocks_done;
  comparison.blocks_b = b.result->blocks_done;
  comparison.min_effect = options.min_effect;
  std::vector<PairedTest> tests;
  std::vector<std::size_t> family;
  std::map<std::string, std::size_t> questions;  // one workload and one figure
  for (const auto& [cell_a, cell_b] : match(*a.result, *b.result, comparison)) {
    ComparedCell cell;
    cell.model_a = cell_a->model;
    cell.workload_a = cell_a->workload;
    cell.model_b = cell_b->model;
    cell.workload_b = cell_b->workload;
    cell.by_kind = cell_name(*cell_a) != cell_name(*cell_b);
    cell.slo_a_ns = cell.slo_common_a_ns = cell_a->slo_ns;
    cell.slo_b_ns = cell.slo_common_b_ns = cell_b->slo_ns;
    cell.slo_percentile = cell_a->slo_percentile;

    const std::map<int, double> speed_a = speed_by_block(*cell_a, *a.result),
                                speed_b = speed_by_block(*cell_b, *b.result);
    describe_speed(speed_a, speed_b, cell);
    const bool computes = only_computes(cell.workload_a) && only_computes(cell.workload_b) &&
                          cell.model_a.name != "oracle";
    std::map<int, double> adjust_a, adjust_b;
    if (computes && !speed_a.empty() && !speed_b.empty()) {
      cell.adjusted = true;
      const bool both = a.cpu_iterations_per_us > 0 && b.cpu_iterations_per_us > 0;
      if (both) cell.work = b.cpu_iterations_per_us / a.cpu_iterations_per_us;
      adjust_a = adjustment(speed_a, both ? a.cpu_iterations_per_us : 0);
      adjust_b = adjustment(speed_b, both ? b.cpu_iterations_per_us : 0);
    }
    if (cell_a->slo_ns > 0 && cell_b->slo_ns > 0) {
      // One bound for both: an SLO in multiples of S inherits the noise of S.
      const double unit_a = mean_of(adjust_a), unit_b = mean_of(adjust_b);
      const double common =
          0.5 * (std::log(cell_a->slo_ns) - unit_a + std::log(cell_b->slo_ns) - unit_b);
      cell.slo_common_a_ns = std::exp(common + unit_a);
      cell.slo_common_b_ns = std::exp(common + unit_b);
    }
    for (const char* figure : {"cliff", "saturation"}) {
      PairedTest test = pair_up(side_of(*cell_a, figure, cell.slo_common_a_ns, adjust_a),
                                side_of(*cell_b, figure, cell.slo_common_b_ns, adjust_b), options);
      test.comparison.figure = figure;
      if (cell_a->slo_percentile != cell_b->slo_percentile && test.comparison.figure == "cliff")
        refuse(test, "the SLOs are of different percentiles");
      tests.push_back(std::move(test));
      const std::string question = cell.workload_a.to_string() + '\n' + figure;
      family.push_back(questions.try_emplace(question, questions.size()).first->second);
    }
    comparison.cells.push_back(std::move(cell));
  }
  comparison.tests = decide(tests, family, options);
  for (std::size_t i = 0; i < tests.size(); ++i)
    comparison.cells[i / 2].figures.push_back(std::move(tests[i].comparison));
  return comparison;
}

}  // namespace precipice
