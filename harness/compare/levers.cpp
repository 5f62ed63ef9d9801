#include "harness/compare/levers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "harness/capacity/point.hpp"
#include "harness/compare/claim_figures.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/compare/figure_doubt.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/transport.hpp"

namespace precipice {
namespace {

/// The interval of a bootstrap that misses more of its resamples would be too narrow.
constexpr double kMostMissing = 0.2;
/// Loads nearer to each other say the same.
constexpr double kSameLoad = 1.02;
constexpr std::size_t kMostSharedRates = 4;

ClaimNode call_of(Figure figure, double load_per_s = 0) {
  ClaimNode call;
  call.kind = ClaimNode::Kind::call;
  call.figure = figure;
  if (load_per_s > 0) call.load = ClaimLoad{load_per_s, false};
  return call;
}

/// A figure with all that is known of its scatter.
struct Side {
  FigureReading reading;
  std::vector<double> resampled;  ///< empty of one block
  FigureDoubt doubt;
  int blocks = 0;
};

Side side_of(ClaimFigures& figures, std::size_t cell, const ClaimNode& call) {
  Side side;
  side.reading = figures.whole(cell, call);
  side.blocks = figures.blocks(cell);
  if (!side.reading.missing.empty()) return side;
  if (side.blocks >= 2) side.resampled = figures.resampled(cell, call);
  side.doubt = doubt_of(side.reading, side.resampled, figures.resamples(), side.blocks);
  return side;
}

/// a x b, of one cell.
Side product(const Side& a, const Side& b) {
  if (!a.reading.missing.empty()) return a;
  if (!b.reading.missing.empty()) return b;
  Side side = a;
  side.reading.value *= b.reading.value;
  side.reading.low *= b.reading.low;
  side.reading.high *= b.reading.high;
  side.reading.has_interval = a.reading.has_interval && b.reading.has_interval;
  for (std::size_t i = 0; i < side.resampled.size(); ++i) side.resampled[i] *= b.resampled[i];
  side.doubt.up += b.doubt.up;
  side.doubt.down += b.doubt.down;
  return side;
}

/// A value that is so by definition, in all blocks.
Side exactly(double value, const Side& like) {
  Side side;
  side.reading.value = side.reading.low = side.reading.high = value;
  side.reading.exact = true;
  side.resampled.assign(like.resampled.size(), value);
  side.blocks = like.blocks;
  return side;
}

/// Whether a figure of one block has an interval all the same.
bool has_interval(const Side& side) {
  return side.blocks >= 2 || side.reading.has_interval || side.reading.exact;
}

/// exp of a logarithm with its interval; one end of it infinite is a bound.
Estimate estimate_of(double logarithm, double up, double down, bool interval) {
  Estimate estimate;
  estimate.value = std::exp(logarithm);
  estimate.reached = std::isfinite(up)     ? std::isfinite(down) ? Reached::ok : Reached::below
                     : std::isfinite(down) ? Reached::above
                                           : Reached::unmeasured;
  if (estimate.reached == Reached::unmeasured) estimate.value = kNaN;
  if (!interval) return estimate;
  if (std::isfinite(down)) estimate.low = std::exp(logarithm - down);
  if (std::isfinite(up)) estimate.high = std::exp(logarithm + up);
  return estimate;
}

/// The logarithms of resamples; nothing where too many of them have none.
std::optional<double> half_of(const std::vector<double>& values, int blocks,
                              const std::vector<BlockResample>& resamples) {
  double missing = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) missing += resamples[i].probability;
  }
  if (missing > kMostMissing) return std::nullopt;
  return half_interval(values, resamples, blocks);
}

Estimate estimate_of(const Side& side, const std::vector<BlockResample>& resamples) {
  Estimate estimate;
  const double value = side.reading.value;
  if (!(value > 0)) {  // no logarithm; a goodput of nothing is one
    estimate.value = value;
    estimate.reached = std::isnan(value) ? Reached::unmeasured : Reached::ok;
    return estimate;
  }
  std::vector<double> logs;
  for (const double each : side.resampled) logs.push_back(std::log(each));
  const std::optional<double> half = half_of(logs, side.blocks, resamples);
  return estimate_of(std::log(value), half.value_or(0) + side.doubt.up,
                     half.value_or(0) + side.doubt.down, half && has_interval(side));
}

Estimate ratio_of(const Side& with, const Side& without,
                  const std::vector<BlockResample>& resamples) {
  if (!(with.reading.value > 0) || !(without.reading.value > 0)) return {};
  const int blocks = std::min(with.blocks, without.blocks);
  std::vector<double> logs;
  if (blocks >= 2) {
    for (std::size_t i = 0; i < resamples.size(); ++i)
      logs.push_back(std::log(with.resampled[i] / without.resampled[i]));
  }
  const std::optional<double> half = half_of(logs, blocks, resamples);
  const bool interval = half && (blocks >= 2 || (has_interval(with) && has_interval(without)));
  return estimate_of(std::log(with.reading.value / without.reading.value),
                     half.value_or(0) + with.doubt.up + without.doubt.down,
                     half.value_or(0) + with.doubt.down + without.doubt.up, interval);
}

Estimate scaled(Estimate estimate, double factor) {
  for (double* end : {&estimate.value, &estimate.low, &estimate.high}) *end *= factor;
  return estimate;
}

/// Offered rates of valid open loops, ascending.
std::vector<double> rates_of(const CellSummary& cell) {
  std::set<double> rates;
  for (const Point& point : cell.evidence) {
    if (point.valid && point.closed == 0 && point.rate_per_s > 0) rates.insert(point.rate_per_s);
  }
  return {rates.begin(), rates.end()};
}

/// Where responses are compared, ascending.
std::vector<double> loads_of(const CellSummary& with, const CellSummary& without) {
  std::vector<double> loads, shared;
  const double top = std::min(with.result.saturation.value, without.result.saturation.value);
  if (top > 0) loads = {0.25 * top, 0.5 * top, 0.75 * top};
  const std::vector<double> theirs = rates_of(without);
  for (const double rate : rates_of(with)) {
    if (std::any_of(theirs.begin(), theirs.end(),
                    [rate](double other) { return std::abs(std::log(other / rate)) < 0.005; }))
      shared.push_back(rate);
  }
  const std::size_t many = std::min(shared.size(), kMostSharedRates);
  for (std::size_t i = 0; i < many; ++i)
    loads.push_back(shared[many > 1 ? i * (shared.size() - 1) / (many - 1) : 0]);
  std::sort(loads.begin(), loads.end());
  loads.erase(
      std::unique(loads.begin(), loads.end(), [](double a, double b) { return b < a * kSameLoad; }),
      loads.end());
  return loads;
}

bool measured(const CellSummary& cell) {
  return cell.failure.empty() && std::any_of(cell.evidence.begin(), cell.evidence.end(),
                                             [](const Point& point) { return point.valid; });
}

class Comparer {
 public:
  Comparer(const CampaignResult& run, ClaimFigures& figures, std::size_t with, std::size_t without)
      : run_(run), figures_(figures), with_(with), without_(without) {}

  std::vector<MovedFigure> compare() {
    const CellSummary &with = run_.cells[with_], &without = run_.cells[without_];
    for (const double load : loads_of(with, without)) {
      add_response("p50_ns", Figure::p50, load);
      add_response("p99_ns", Figure::p99, load);
      if (with.slo_percentile == 99.9) add_response("p999_ns", Figure::p999, load);
    }
    add("cliff_per_s", of(with_, Figure::cliff), of(without_, Figure::cliff));
    const Side top = of(with_, Figure::saturation), other_top = of(without_, Figure::saturation);
    add("saturation_per_s", top, other_top);
    add("overload_goodput_per_s", product(of(with_, Figure::retention), top),
        product(of(without_, Figure::retention), other_top));
    const Side attempts = of(with_, Figure::attempts_per_request);
    add("attempts_per_request", attempts, exactly(1, attempts));
    if (with.cpu_ns_per_request > 0 && without.cpu_ns_per_request > 0)
      add("cpu_ns_per_request", of(with_, Figure::cpu_per_request),
          of(without_, Figure::cpu_per_request), 0, 1e9);
    if (with.price_per_hour > 0)
      add("cost_per_million", of(with_, Figure::cost_per_million),
          of(without_, Figure::cost_per_million));
    return std::move(moved_);
  }

 private:
  Side of(std::size_t cell, Figure figure, double load_per_s = 0) {
    return side_of(figures_, cell, call_of(figure, load_per_s));
  }

  /// At a load that lies outside of what was measured of one side there is nothing to say.
  void add_response(const char* name, Figure figure, double load_per_s) {
    const Side with = of(with_, figure, load_per_s), without = of(without_, figure, load_per_s);
    if (with.reading.missing.empty() && without.reading.missing.empty())
      add(name, with, without, load_per_s, 1e9);
  }

  void add(const char* name, const Side& with, const Side& without, double load_per_s = 0,
           double factor = 1) {
    MovedFigure moved;
    moved.figure = name;
    moved.load_per_s = load_per_s;
    const bool both = with.reading.missing.empty() && without.reading.missing.empty();
    if (!with.reading.missing.empty())
      moved.missing = "with the policy: " + with.reading.missing;
    else if (!both)
      moved.missing = "without it: " + without.reading.missing;
    moved.with = scaled(estimate_of(with, figures_.resamples()), factor);
    moved.without = scaled(estimate_of(without, figures_.resamples()), factor);
    if (both) moved.ratio = ratio_of(with, without, figures_.resamples());
    moved_.push_back(std::move(moved));
  }

  const CampaignResult& run_;
  ClaimFigures& figures_;
  const std::size_t with_, without_;
  std::vector<MovedFigure> moved_;
};

}  // namespace

std::vector<Lever> levers_of(const CampaignResult& run) {
  std::vector<Lever> levers;
  ClaimFigures figures(run);
  for (std::size_t i = 0; i < run.cells.size(); ++i) {
    const CellSummary& cell = run.cells[i];
    if (cell.model.policy.empty()) continue;
    Lever lever{cell.model, cell.model, cell.workload, "", {}};
    // Of a series that is served, the same series, served without policies.
    lever.without.policy =
        policy_name(cell.model).empty() ? "" : std::string(transport_text(cell.model));
    const auto found =
        std::find_if(run.cells.begin(), run.cells.end(), [&lever](const CellSummary& other) {
          return other.model.to_string() == lever.without.to_string() &&
                 other.workload.to_string() == lever.workload.to_string();
        });
    if (found == run.cells.end())
      lever.missing = fmt::format(
          "{} was not run without a policy: \"none\" among the policies of "
          "its [[model]] does that",
          lever.without.to_string());
    else if (!measured(cell) || !measured(*found))
      lever.missing = fmt::format("{} has no valid trial",
                                  (measured(cell) ? lever.without : lever.series).to_string());
    else
      lever.figures =
          Comparer(run, figures, i, static_cast<std::size_t>(found - run.cells.begin())).compare();
    levers.push_back(std::move(lever));
  }
  return levers;
}

}  // namespace precipice
