#include "harness/compare/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <map>
#include <utility>

#include "harness/capacity/point.hpp"
#include "harness/compare/ranking.hpp"
#include "harness/stats/batch_means.hpp"
#include "harness/stats/histogram.hpp"
#include "harness/stats/statistics.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

constexpr double kSurely = 0.025;  // on either side
// A cliff of one block has no interval; the rate decides then only where it lies this far from it.
constexpr double kFarFromCliff = 1.5;

/// P(at most x) of a Poisson count with this mean; `x` need not be whole.
double at_most(double x, double mean) { return boost::math::gamma_q(x + 1, mean); }

/// All trials of one model at one rate.
class TrialsAtRate {
 public:
  TrialsAtRate(const CellSummary& cell, double rate_per_s) : cell_(cell) {
    for (const bool valid : {true, false}) {
      for (const Point& point : cell.evidence) {
        if (point.valid != valid || point.closed > 0 || point.rate_per_s != rate_per_s ||
            point.requests == 0 || !point.responses || point.responses->count() == 0)
          continue;
        points_.push_back(&point);
      }
      valid_ = valid;
      if (!points_.empty()) break;
    }
    for (const Point* point : points_) {
      const auto requests = static_cast<double>(point->responses->count());
      responses_.merge(*point->responses);
      scatter_.add(requests, point->mean_response_ns, point->scatter);
      lost_ += point->loss * static_cast<double>(point->requests);
      requests_ += static_cast<double>(point->requests);
      stable_ += point->stable ? 1 : 0;
    }
  }

  bool empty() const { return points_.empty(); }

  AdviceAtRate figures(double rate_per_s) const {
    AdviceAtRate at;
    at.rate_per_s = rate_per_s;
    if (empty()) return at;
    at.valid = valid_;
    at.percentile_ns = percentile();
    std::vector<double> goodputs;
    for (const Point* point : points_) goodputs.push_back(point->goodput_per_s);
    const auto [low, high] = std::minmax_element(goodputs.begin(), goodputs.end());
    at.goodput_per_s = {.value = median(goodputs), .reached = Reached::ok};
    if (goodputs.size() > 1) {
      at.goodput_per_s.low = *low;
      at.goodput_per_s.high = *high;
    }
    if (valid_) at.meets = meets();
    return at;
  }

 private:
  double allowed() const { return 1 - cell_.slo_percentile / 100; }

  /// Requests of a busy period are slow together: so many responses count as one.
  double alike() const {
    const double time = scatter_.autocorrelation_time();
    return std::isfinite(time) ? std::max(1.0, time) : 1;
  }

  /// By the distribution-free interval of a quantile, whose ranks are binomial.
  Estimate percentile() const {
    const auto n = static_cast<double>(responses_.count());
    const double p = cell_.slo_percentile / 100,
                 deviation = 1.96 * std::sqrt(p * (1 - p) * alike() / n);
    const auto at = [&](double share) {
      return static_cast<double>(responses_.percentile(100 * std::clamp(share, 1 / n, 1.0)));
    };
    Estimate estimate = {.value = at(p),
                         .low = at(p - deviation),
                         .high = at(p + deviation),
                         .reached = Reached::ok};
    if (p + deviation >= 1) estimate.high = kInfinity;
    if (2 * stable_ < points_.size()) {  // the backlog grows: as long as the trial lets it
      estimate.high = kInfinity;
      estimate.reached = Reached::above;
    }
    return estimate;
  }

  std::optional<bool> meets() const {
    if (stable_ == 0) return false;
    double beyond = 0;
    for (const auto& [index, count] : responses_.buckets()) {
      if (static_cast<double>(Histogram::bounds(index).first) > cell_.slo_ns)
        beyond += static_cast<double>(count);
    }
    beyond += static_cast<double>(responses_.overflow());
    const double mean = allowed() * static_cast<double>(responses_.count()) / alike();
    const double seen = beyond / alike();
    if (seen > mean && 1 - at_most(seen - 1, mean) < kSurely) return false;
    const double may_lose = kMaxLossDefault * requests_;
    if (lost_ > may_lose && 1 - at_most(lost_ - 1, may_lose) < kSurely) return false;
    if (stable_ < points_.size() || lost_ > may_lose) return std::nullopt;
    if (at_most(seen, mean) < kSurely) return true;
    return std::nullopt;
  }

  const CellSummary& cell_;
  std::vector<const Point*> points_;
  bool valid_ = false;
  Histogram responses_;
  PooledScatter scatter_;
  double lost_ = 0, requests_ = 0;
  std::size_t stable_ = 0;
};

bool known(const Estimate& estimate) {
  return estimate.reached != Reached::unmeasured && std::isfinite(estimate.value);
}

bool has_interval(const Estimate& estimate) {
  return estimate.reached == Reached::ok && std::isfinite(estimate.low) &&
         std::isfinite(estimate.high);
}

std::optional<bool> holds_by_cliff(const Estimate& cliff, double rate_per_s) {
  if (!known(cliff)) return std::nullopt;
  if (has_interval(cliff)) {
    if (cliff.low > rate_per_s) return true;
    if (cliff.high < rate_per_s) return false;
    return std::nullopt;
  }
  if (cliff.reached != Reached::below &&
      cliff.value >= rate_per_s * (cliff.reached == Reached::ok ? kFarFromCliff : 1))
    return true;
  if (cliff.reached != Reached::above &&
      cliff.value <= rate_per_s / (cliff.reached == Reached::ok ? kFarFromCliff : 1))
    return false;
  return std::nullopt;
}

/// Trials at the rate decide, and where they leave it open the cliff. Then what holds at a rate
/// holds below it, and what fails fails above. Two that contradict each other leave it open.
void decide(AdviceOfModel& model) {
  std::vector<std::optional<bool>> found;
  for (AdviceAtRate& at : model.at) {
    const std::optional<bool> by_cliff = holds_by_cliff(model.cliff_per_s, at.rate_per_s);
    if (!at.meets)
      at.meets = by_cliff;
    else if (by_cliff && *by_cliff != *at.meets)
      at.meets = std::nullopt;
    found.push_back(at.meets);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) continue;
    const auto from = found.begin() + static_cast<std::ptrdiff_t>(i);
    const bool holds = std::find(from, found.end(), std::optional(true)) != found.end();
    const bool fails = std::find(found.begin(), from, std::optional(false)) != from;
    if (holds != fails) model.at[i].meets = holds;
  }
  model.meets = model.at.front().meets;
}

Estimate over(const Estimate& estimate, double by) {
  Estimate ratio = estimate;
  for (double* part : {&ratio.value, &ratio.low, &ratio.high}) *part /= by;
  return ratio;
}

/// The cliff of the first as a multiple of the other's. By paired blocks where those tell them
/// apart, else the widest that their intervals allow.
Estimate gain_over(const Ranking& ranking, const AdviceOfModel& first, const AdviceOfModel& other) {
  const Estimate &a = first.cliff_per_s, &b = other.cliff_per_s;
  Estimate gain;
  if (!known(a) || !known(b) || !(b.value > 0)) return gain;
  gain.value = a.value / b.value;
  gain.reached = a.reached == Reached::above || b.reached == Reached::below ? Reached::above
                 : b.reached == Reached::above                              ? Reached::unmeasured
                                                                            : Reached::ok;
  if (gain.reached == Reached::above) gain.low = gain.value;
  if (gain.reached != Reached::ok) return gain;
  const std::string text = other.model.to_string(), top = first.model.to_string();
  for (std::size_t i = 0; i < ranking.rows.size(); ++i) {
    const Comparison& pair = ranking.rows[i].to_first;
    if (ranking.rows[i].model.to_string() != text || !(pair.low > 0)) continue;
    const auto measured =
        std::find_if(ranking.rows.begin(), ranking.rows.end(),
                     [](const Ranking::Row& row) { return row.estimate.reached == Reached::ok; });
    if (measured == ranking.rows.end() || measured->model.to_string() != top) continue;
    gain.low = 1 / pair.high;
    gain.high = 1 / pair.low;
    if (gain.low > 1) {
      gain.value = 1 / pair.ratio;
      return gain;
    }
  }
  if (has_interval(a) && has_interval(b) && a.low > b.high) {
    gain.low = a.low / b.high;
    gain.high = a.high / b.low;
  }
  return gain;
}

/// The commonest causes, and what one of the models met.
std::string why_nothing(const CampaignResult& result) {
  std::map<std::string, int> causes;
  for (const CellSummary& cell : result.cells)
    for (const auto& [cause, times] : cell.invalid_causes) causes[cause] += times;
  std::vector<std::pair<int, std::string>> ordered;
  for (const auto& [cause, times] : causes) ordered.emplace_back(times, cause);
  std::sort(ordered.rbegin(), ordered.rend());
  std::vector<std::string> parts;
  for (const auto& [times, cause] : ordered) parts.push_back(fmt::format("{} {}", cause, times));
  std::string example;
  for (const CellSummary& cell : result.cells)
    if (example.empty() && !cell.failure.empty())
      example = fmt::format("; {}: {}", label(cell.model), cell.failure);
  const std::string all = parts.empty() ? "" : fmt::format(" (causes: {})", fmt::join(parts, ", "));
  return fmt::format("no trial at these rates was valid{}{}", all, example);
}

}  // namespace

Advice advise(const AdviceQuestion& question, const CampaignResult& result) {
  Advice advice;
  advice.question = question;
  advice.blocks = result.blocks_done;
  bool any_valid = false;
  for (const CellSummary& cell : result.cells) {
    advice.workload = cell.workload;
    advice.slo_ns = std::max(advice.slo_ns, cell.slo_ns);
    advice.trials += cell.trials;
    advice.invalid += cell.invalid;
    AdviceOfModel model;
    model.model = cell.model;
    model.failure = cell.failure;
    if (cell.failure.empty()) model.cliff_per_s = cell.result.cliff;
    model.headroom = over(model.cliff_per_s, question.rate_per_s);
    for (const double times : kAdviceLoads) {
      const double rate = times * question.rate_per_s;
      model.at.push_back(TrialsAtRate(cell, rate).figures(rate));
      any_valid = any_valid || model.at.back().valid;
    }
    decide(model);
    any_valid = any_valid || known(model.cliff_per_s);
    advice.models.push_back(std::move(model));
  }
  std::stable_sort(advice.models.begin(), advice.models.end(),
                   [](const AdviceOfModel& a, const AdviceOfModel& b) {
                     const auto value = [](const AdviceOfModel& model) {
                       return known(model.cliff_per_s) ? model.cliff_per_s.value : -1;
                     };
                     return value(a) > value(b);
                   });
  for (std::size_t i = 0; i < advice.models.size(); ++i) {
    const AdviceOfModel& model = advice.models[i];
    if (!question.models.empty() && model.model.to_string() == question.models[0].to_string())
      advice.today = i;
    if (const auto size = pool_size(model.model)) advice.pools.push_back({*size, model.meets});
  }
  std::stable_sort(advice.pools.begin(), advice.pools.end(),
                   [](const AdvicePool& a, const AdvicePool& b) { return a.size < b.size; });
  for (const AdvicePool& pool : advice.pools) {
    if (pool.meets == true && !advice.threads) advice.threads = pool.size;
  }
  if (!any_valid) advice.nothing_valid = why_nothing(result);
  if (advice.models.empty() || !known(advice.models.front().cliff_per_s)) return advice;

  advice.most = 0;
  const RunRanking ranked = rank_models(result);
  const auto by_cliff = std::find_if(ranked.rankings.begin(), ranked.rankings.end(),
                                     [](const Ranking& each) { return each.figure == "cliff"; });
  std::optional<std::size_t> next;
  std::vector<Estimate> gains(advice.models.size());
  for (std::size_t i = 1; i < advice.models.size(); ++i) {
    if (!known(advice.models[i].cliff_per_s)) continue;
    gains[i] = gain_over(*by_cliff, advice.models[0], advice.models[i]);
    if (gains[i].low > 1) {
      if (!next) next = i;
    } else {
      advice.alike.push_back(i);
    }
  }
  advice.against = advice.today && *advice.today != 0 ? advice.today : next;
  if (advice.against) advice.gain = gains[*advice.against];
  return advice;
}

}  // namespace precipice
