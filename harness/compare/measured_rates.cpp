#include "harness/compare/measured_rates.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "harness/capacity/record.hpp"
#include "harness/stats/histogram.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

bool is_percentile(Figure figure) { return figure > Figure::mean; }

/// The shortest response that a drain cut off in any used trial at this rate; infinity where every
/// request ended.
double cut_off_from_ns(const CellSummary& cell, double rate_per_s) {
  double from = kInfinity;
  for (const Record& record : cell.points) {
    const TrialRequest& request = record.trial.request;
    const bool same = std::abs(request.rate_per_s - rate_per_s) <= 1e-9 * rate_per_s;
    if (record.used && same && !request.trigger && record.trial.response_bound_from_ns)
      from = std::min(from, static_cast<double>(*record.trial.response_bound_from_ns));
  }
  return from;
}

/// As far as a histogram tells the two apart.
bool same_bucket_or_above(double ns, double from_ns) {
  if (!(from_ns < kInfinity)) return false;
  return Histogram::index_of(static_cast<std::int64_t>(ns)) >=
         Histogram::index_of(static_cast<std::int64_t>(from_ns));
}

/// Several trials at one rate that no histogram merges: percentiles and rates by their median,
/// means and shares by the requests that they are of.
struct SameRate {
  double rate_per_s = 0;
  std::vector<double> values;  ///< one for each time that a block was drawn
  double requests = 0, weighted = 0, lost = 0, stable = 0, times = 0;

  void add(const RateGroup::Merged& merged, double value) {
    rate_per_s = merged.rate_per_s;
    values.insert(values.end(), static_cast<std::size_t>(merged.blocks), value);
    requests += merged.requests;
    weighted += merged.requests * value;
    lost += merged.requests * merged.loss;
    times += merged.blocks;
    if (merged.stable) stable += merged.blocks;
  }
  MeasuredAt read(bool by_median, double max_loss) const {
    const double share = requests > 0 ? 1 / requests : 0;
    return {rate_per_s, by_median ? median(values) : share * weighted, 2 * stable <= times,
            share * lost > max_loss};
  }
};

}  // namespace

double percentile_of(Figure figure) {
  constexpr std::array kPercentiles{50.0, 50.0, 50.0, 50.0, 90.0, 99.0, 99.9};
  return kPercentiles.at(static_cast<std::size_t>(figure) -
                         static_cast<std::size_t>(Figure::goodput));
}

std::vector<MeasuredAt> measured_rates(const CellSummary& cell, const RateGroups& groups,
                                       const BlockWeights& weights, Figure figure, bool of_class) {
  const double percentile = percentile_of(figure);
  std::vector<SameRate> rates;
  for (const RateGroup& group : groups.open) {
    const auto merged = group.merge(weights, percentile);
    if (!merged) continue;
    double value = merged->percentile_ns / 1e9;
    if (figure == Figure::mean) value = merged->mean_ns / 1e9;
    if (figure == Figure::loss) value = merged->loss;
    if (figure == Figure::goodput) value = merged->goodput_per_s / merged->rate_per_s;
    // Without a histogram only the percentile of the SLO is known, and of a class the one that its
    // points were made with.
    const bool known = !is_percentile(figure) || !group.edges_ns.empty() || of_class ||
                       percentile == cell.options.slo_percentile;
    if (!known || (is_response(figure) && !(value > 0))) continue;
    if (rates.empty() || rates.back().rate_per_s < merged->rate_per_s * (1 - 1e-9))
      rates.emplace_back();
    rates.back().add(*merged, value);
  }
  const bool by_median = is_percentile(figure) || figure == Figure::goodput;
  std::vector<MeasuredAt> measured;
  for (const SameRate& rate : rates) {
    MeasuredAt& at = measured.emplace_back(rate.read(by_median, cell.options.max_loss));
    const double cut_off_ns = cut_off_from_ns(cell, at.rate_per_s);
    // A few that were cut off, no more than a cliff allows, leave the mean what it is.
    const bool bound = is_percentile(figure) ? same_bucket_or_above(at.value * 1e9, cut_off_ns)
                                             : at.lossy && cut_off_ns < kInfinity;
    at.overload = at.overload || bound;
  }
  return measured;
}

}  // namespace precipice
