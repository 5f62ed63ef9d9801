#include "harness/compare/claim_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/class_points.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/summarise_cell.hpp"
#include "harness/compare/measured_rates.hpp"
#include "harness/format.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

bool opens(const Point& point) { return point.valid && point.closed == 0 && point.rate_per_s > 0; }

std::set<int> blocks_of(const CellSummary& cell) {
  std::set<int> all, refined;
  for (const Point& point : cell.evidence) {
    if (!opens(point)) continue;
    all.insert(point.block);
    if (point.phase != Phase::coarse) refined.insert(point.block);
  }
  return refined.empty() ? all : refined;
}

/// The points that stand for every block alike: the search's own short trials led to them.
std::vector<Point> repeated_points(const std::vector<Point>& evidence) {
  std::map<std::uint64_t, std::set<int>> closed;
  bool repeated = false, refined = false;
  for (const Point& point : evidence) {
    if (opens(point) && point.phase != Phase::coarse) refined = true;
    if (!point.valid || point.closed == 0) continue;
    closed[point.closed].insert(point.block);
    repeated = repeated || closed[point.closed].size() > 1;
  }
  std::vector<Point> points;
  for (const Point& point : evidence) {
    if (!point.valid) continue;
    if (refined && point.phase == Phase::coarse) continue;
    if (repeated && point.closed > 0 && closed[point.closed].size() < 2) continue;
    points.push_back(point);
  }
  return points;
}

FigureReading missing(std::string why) {
  FigureReading reading;
  reading.missing = std::move(why);
  return reading;
}

FigureReading of_estimate(const Estimate& estimate, double scale = 1) {
  if (estimate.reached == Reached::unmeasured || !std::isfinite(estimate.value))
    return missing("no valid trial shows it");
  FigureReading reading;
  reading.value = scale * estimate.value;
  reading.low = estimate.reached == Reached::below ? 0 : scale * estimate.low;
  reading.high = estimate.reached == Reached::above ? kInfinity : scale * estimate.high;
  reading.has_interval = std::isfinite(estimate.low) && !std::isnan(estimate.high);
  if (!(reading.low <= reading.value)) reading.low = reading.value;
  if (!(reading.high >= reading.value)) reading.high = reading.value;
  return reading;
}

FigureReading of_value(double value, bool exact) {
  if (!std::isfinite(value)) return missing("no valid trial shows it");
  FigureReading reading;
  reading.value = reading.low = reading.high = value;
  reading.exact = exact;
  return reading;
}

FigureReading of_ideal(const CellSummary& cell, double ideal_per_s) {
  if (!(ideal_per_s > 0)) return missing("the work has no ideal in closed form");
  return of_value(ideal_per_s, cell.model.name == "oracle");
}

}  // namespace

ClaimFigures::ClaimFigures(const CampaignResult& run) : run_(run) {
  std::set<int> blocks;
  for (const CellSummary& cell : run.cells) blocks.merge(blocks_of(cell));
  blocks_.assign(blocks.begin(), blocks.end());
  constexpr std::uint64_t kSeed = 1;  // one run, one verdict
  resamples_ = block_resamples(static_cast<int>(blocks_.size()), kSeed);
}

ClaimFigures::Cell& ClaimFigures::cell(std::size_t index) {
  const auto [place, first] = cells_.try_emplace(index);
  if (first) {
    const std::set<int> blocks = blocks_of(run_.cells[index]);
    place->second.blocks.assign(blocks.begin(), blocks.end());
  }
  return place->second;
}

int ClaimFigures::blocks(std::size_t index) { return static_cast<int>(cell(index).blocks.size()); }

std::optional<std::size_t> ClaimFigures::class_number(std::size_t index,
                                                      const std::string& name) const {
  const std::vector<ClassSummary>& classes = run_.cells[index].classes;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].name == name) return i;
  }
  return std::nullopt;
}

const std::vector<ClaimFigures::Analysed>& ClaimFigures::analysed(std::size_t index,
                                                                  const std::string& of_class) {
  std::vector<Analysed>& results = cell(index).analysed[of_class];
  if (!results.empty()) return results;
  const CellSummary& summary = run_.cells[index];
  const std::optional<std::size_t> number = class_number(index, of_class);
  CliffOptions options =
      number ? options_of_class(summary.options, summary.classes[*number].slo_ns) : summary.options;
  options.bootstrap = 0;  // the resamples are the bootstrap
  const std::vector<Point> points =
      repeated_points(number ? points_of_class(summary.points, *number) : summary.evidence);
  std::vector<Point> drawn;
  for (const BlockResample& resample : resamples_) {
    drawn.clear();
    int copy = 0;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (int time = 0; time < resample.times[b]; ++time, ++copy) {
        for (const Point& point : points) {
          if (point.block != blocks_[b]) continue;
          drawn.push_back(point);
          drawn.back().block = copy;
        }
      }
    }
    const CellResult result = analyse(drawn, options);
    results.push_back({result.saturation.value, result.cliff.value, result.cliff5.value,
                       result.cliff20.value, result.knee.value, result.closed_loop_plateau_per_s,
                       result.overload_retention.value, result.steepness});
  }
  return results;
}

BlockWeights ClaimFigures::weights_of(const std::vector<int>& blocks,
                                      const BlockResample* resample) const {
  if (resample == nullptr) return BlockWeights(blocks.size(), 1);
  BlockWeights weights;
  for (const int block : blocks) {
    const auto at = std::lower_bound(blocks_.begin(), blocks_.end(), block);
    weights.push_back(resample->times[static_cast<std::size_t>(at - blocks_.begin())]);
  }
  return weights;
}

double ClaimFigures::service_drift(std::size_t index, const BlockResample* resample) const {
  const CellSummary& summary = run_.cells[index];
  const auto found = run_.service_by_block.find(service_key(summary.model, summary.workload));
  if (summary.model.name == "oracle" || found == run_.service_by_block.end()) return 1;
  double all = 0, drawn = 0, drawn_times = 0, count = 0;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const auto block = found->second.find(blocks_[b]);
    if (block == found->second.end() || !(block->second.mean_ns > 0)) continue;
    const int times = resample == nullptr ? 1 : resample->times[b];
    all += block->second.mean_ns;
    count += 1;
    drawn += times * block->second.mean_ns;
    drawn_times += times;
  }
  return drawn_times > 0 ? drawn / drawn_times / (all / count) : count > 0 ? kNaN : 1;
}

double ClaimFigures::median_over_points(std::size_t index, const BlockResample& resample,
                                        double (*figure)(const Trial&)) const {
  const CellSummary& summary = run_.cells[index];
  std::vector<double> values;
  for (const Record& record : summary.points) {
    if (!shows_costs(record, summary.result.cliff.value)) continue;
    const auto at = std::lower_bound(blocks_.begin(), blocks_.end(), record.block);
    if (at == blocks_.end() || *at != record.block) continue;
    const int times = resample.times[static_cast<std::size_t>(at - blocks_.begin())];
    const double value = figure(record.trial);
    if (!std::isnan(value)) values.insert(values.end(), static_cast<std::size_t>(times), value);
  }
  return median(std::move(values));
}

const RateGroups& ClaimFigures::groups_of(std::size_t index, const ClaimNode& call) {
  const CellSummary& summary = run_.cells[index];
  const double percentile = percentile_of(call.figure);
  const auto [place, first] = cell(index).groups.try_emplace({call.of_class, percentile});
  if (!first) return place->second.groups;
  Gathered& gathered = place->second;
  const std::optional<std::size_t> number = class_number(index, call.of_class);
  gathered.points =
      number ? points_of_class(summary.points, *number, percentile) : summary.evidence;
  gathered.groups = RateGroups::gather(gathered.points, percentile);
  return gathered.groups;
}

ValueAt ClaimFigures::at_load(std::size_t index, const ClaimNode& call, double saturation,
                              const BlockResample* resample) {
  const double rate = call.load->share ? call.load->value * saturation : call.load->value;
  if (!(rate > 0)) {
    ValueAt unknown;
    unknown.missing = "its saturation is not known, so neither is a share of it";
    return unknown;
  }
  const RateGroups& groups = groups_of(index, call);
  const std::vector<MeasuredAt> measured =
      measured_rates(run_.cells[index], groups, weights_of(groups.block_ids, resample), call.figure,
                     !call.of_class.empty());
  if (is_response(call.figure)) return response_at(measured, rate);
  ValueAt share = share_at(measured, rate);
  if (call.figure == Figure::goodput) {
    for (double* each : {&share.value, &share.low, &share.high}) *each *= rate;
  }
  return share;
}

/// One resample of one cell.
struct ClaimFigures::Drawn {
  ClaimFigures& figures;
  std::size_t cell, resample;
  const std::string& of_class;

  const CellSummary& summary() const { return figures.run_.cells[cell]; }
  const Analysed& analysed() const { return figures.analysed(cell, of_class)[resample]; }
  double slo_ns() const {
    const std::optional<std::size_t> number = figures.class_number(cell, of_class);
    return number ? summary().classes[*number].slo_ns : summary().slo_ns;
  }
  double drift() const { return figures.service_drift(cell, &figures.resamples_[resample]); }
  double median_over_points(double (*figure)(const Trial&)) const {
    return figures.median_over_points(cell, figures.resamples_[resample], figure);
  }
};

/// How a figure is read of the whole run, and of a resample of its blocks.
struct ClaimFigures::Rule {
  Figure figure;
  FigureReading (*read)(const CellSummary&);
  double (*resample)(const Drawn&);
};

const ClaimFigures::Rule* ClaimFigures::rule_of(Figure figure) {
  using Cell = const CellSummary&;
  using Draw = const Drawn&;
  static constexpr std::array kRules{
      Rule{Figure::saturation, [](Cell c) { return of_estimate(c.result.saturation); },
           [](Draw d) { return d.analysed().saturation; }},
      Rule{Figure::cliff, [](Cell c) { return of_estimate(c.result.cliff); },
           [](Draw d) { return d.analysed().cliff; }},
      Rule{Figure::cliff5, [](Cell c) { return of_estimate(c.result.cliff5); },
           [](Draw d) { return d.analysed().cliff5; }},
      Rule{Figure::cliff20, [](Cell c) { return of_estimate(c.result.cliff20); },
           [](Draw d) { return d.analysed().cliff20; }},
      Rule{Figure::knee, [](Cell c) { return of_estimate(c.result.knee); },
           [](Draw d) { return d.analysed().knee; }},
      Rule{Figure::plateau,
           [](Cell c) { return of_value(c.result.closed_loop_plateau_per_s, false); },
           [](Draw d) { return d.analysed().plateau; }},
      Rule{Figure::retention, [](Cell c) { return of_estimate(c.result.overload_retention); },
           [](Draw d) { return d.analysed().retention; }},
      // Its own interval is over blocks already, and `read` has it.
      Rule{Figure::recovery, [](Cell c) { return of_estimate(c.result.recovery); },
           [](Draw d) { return d.summary().result.recovery.value; }},
      Rule{Figure::steepness, [](Cell c) { return of_value(c.result.steepness, false); },
           [](Draw d) { return d.analysed().steepness; }},
      Rule{Figure::saturation_of_ideal, [](Cell c) { return of_estimate(c.saturation_of_ideal); },
           [](Draw d) {
             return d.summary().saturation_of_ideal.value * d.analysed().saturation /
                    d.summary().result.saturation.value * d.drift();
           }},
      Rule{Figure::cliff_of_ideal, [](Cell c) { return of_estimate(c.cliff_of_ideal); },
           [](Draw d) {
             return d.summary().cliff_of_ideal.value * d.analysed().cliff /
                    d.summary().result.cliff.value * d.drift();
           }},
      Rule{Figure::ideal_saturation, [](Cell c) { return of_ideal(c, c.ideal_saturation_per_s); },
           [](Draw d) { return d.summary().ideal_saturation_per_s / d.drift(); }},
      Rule{Figure::ideal_cliff, [](Cell c) { return of_ideal(c, c.ideal_cliff_per_s); },
           [](Draw d) { return d.summary().ideal_cliff_per_s / d.drift(); }},
      Rule{Figure::service_time,
           [](Cell c) {
             return c.service_time_ns > 0
                        ? of_value(c.service_time_ns / 1e9, c.model.name == "oracle")
                        : missing("its service time was not measured");
           },
           [](Draw d) { return d.summary().service_time_ns / 1e9 * d.drift(); }},
      Rule{Figure::slo, [](Cell c) { return of_value(c.slo_ns / 1e9, true); },
           [](Draw d) { return d.slo_ns() / 1e9; }},
      // The virtual clock has no CPUs, and a model that used none was not watched.
      Rule{Figure::cpu_per_request,
           [](Cell c) {
             return c.cpu_ns_per_request > 0 ? of_value(c.cpu_ns_per_request / 1e9, false)
                                             : missing("no valid trial shows it");
           },
           [](Draw d) {
             return d.median_over_points([](const Trial& t) { return t.cpu_model_ns; }) / 1e9;
           }},
      Rule{Figure::attempts_per_request,
           [](Cell c) {
             return std::isnan(c.attempts_per_request) ? missing("its series has no policy")
                                                       : of_value(c.attempts_per_request, false);
           },
           [](Draw d) { return d.median_over_points(&attempts_per_request); }},
      Rule{Figure::wasted,
           [](Cell c) {
             return std::isnan(c.wasted) ? missing("its series has no policy")
                                         : of_value(c.wasted, false);
           },
           [](Draw d) { return d.median_over_points(&wasted_share); }},
      Rule{Figure::cost_per_million,
           [](Cell c) {
             return c.price_per_hour > 0 ? of_estimate(cost_per_million(c))
                                         : missing("the suite names no price_per_cpu_hour");
           },
           [](Draw d) { return 1e6 * d.summary().price_per_hour / 3600 / d.analysed().cliff; }},
  };
  const auto* const found = std::find_if(kRules.begin(), kRules.end(),
                                         [&](const Rule& each) { return each.figure == figure; });
  return found == kRules.end() ? nullptr : found;
}

FigureReading ClaimFigures::whole(std::size_t index, const ClaimNode& call) {
  const CellSummary& summary = run_.cells[index];
  const std::optional<std::size_t> number = class_number(index, call.of_class);
  if (!call.of_class.empty() && !number)
    return missing(fmt::format("no valid trial has requests of class {}", call.of_class));
  if (number && call.figure == Figure::cliff) return of_estimate(summary.classes[*number].cliff);
  if (number && call.figure == Figure::slo)
    return of_value(summary.classes[*number].slo_ns / 1e9, true);
  if (const Rule* const rule = rule_of(call.figure)) return rule->read(summary);
  const Estimate& saturation = summary.result.saturation;
  const ValueAt at = at_load(index, call, saturation.value, nullptr);
  if (!at.missing.empty()) return missing(at.missing);
  FigureReading reading;
  reading.value = at.value;
  reading.low = at.low;
  reading.high = at.high;
  // A share of more than this saturation would be a higher rate.
  if (call.load->share && saturation.reached == Reached::above) reading.high = kInfinity;
  return reading;
}

std::vector<double> ClaimFigures::resampled(std::size_t index, const ClaimNode& call) {
  const Rule* const rule = rule_of(call.figure);
  std::vector<double> values;
  values.reserve(resamples_.size());
  for (std::size_t i = 0; i < resamples_.size(); ++i) {
    const BlockWeights weights = weights_of(cell(index).blocks, &resamples_[i]);
    const Drawn drawn{*this, index, i, call.of_class};
    if (std::none_of(weights.begin(), weights.end(), [](int w) { return w > 0; }))
      values.push_back(kNaN);
    else if (rule != nullptr)
      values.push_back(rule->resample(drawn));
    else
      values.push_back(
          at_load(index, call, analysed(index, "")[i].saturation, &resamples_[i]).value);
  }
  return values;
}

}  // namespace precipice
