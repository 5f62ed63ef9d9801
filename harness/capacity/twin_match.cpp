#include "harness/capacity/twin_match.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "harness/capacity/rate_groups.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

constexpr TwinStretch kLeastStretch = -20, kMostStretch = 160;
constexpr TwinStretch kAround[] = {-4, -2, 0, 2, 4};
constexpr double kShares[] = {1.0 / 9, 2.0 / 9, 3.0 / 9, 2.0 / 9, 1.0 / 9};
// For the search, which can do without.
constexpr double kExplainedEnough = 0.7;
constexpr int kHalvings = 25;

}  // namespace

TwinStretch matching_stretch(const Twin& twin, TwinOrder order,
                             const std::vector<const Point*>& points) {
  const auto model_over_twin = [&](TwinStretch stretch) {
    double sum = 0;
    for (const Point* point : points)
      sum += std::log(point->mean_response_ns / twin.mean_of_replay_ns(*point, order, stretch));
    return sum;
  };
  TwinStretch low = kLeastStretch, high = kMostStretch;
  while (high - low > 1) {
    const TwinStretch middle = low + (high - low) / 2;
    (model_over_twin(middle) > 0 ? low : high) = middle;
  }
  return std::abs(model_over_twin(low)) < std::abs(model_over_twin(high)) ? low : high;
}

double spread_of_means(const Twin& twin, TwinOrder order, TwinStretch stretch,
                       const std::vector<const Point*>& points) {
  std::vector<double> left;
  for (const Point* point : points)
    left.push_back(
        std::log(point->mean_response_ns / twin.mean_of_replay_ns(*point, order, stretch)));
  return standard_deviation(left);
}

double explained_of_means(const Twin& twin, TwinOrder order, TwinStretch stretch,
                          const std::vector<const Point*>& points) {
  std::vector<double> raw;
  for (const Point* point : points)
    raw.push_back(
        std::log(point->mean_response_ns / twin.mean_ns(order, stretch, point->rate_per_s)));
  return 1 - std::pow(spread_of_means(twin, order, stretch, points) / standard_deviation(raw), 2);
}

double seen_around(const Twin& twin, const Point& point, TwinOrder order, TwinStretch stretch,
                   double bound_ns) {
  double seen = 0;
  for (std::size_t i = 0; i < std::size(kAround); ++i)
    seen += kShares[i] *
            twin.replay(point, order, stretch + kAround[i])->responses.count_beyond(bound_ns);
  return seen;
}
double log_share_around(const Twin& twin, TwinOrder order, TwinStretch stretch, double rate_per_s,
                        double bound_ns) {
  double share = 0;
  for (std::size_t i = 0; i < std::size(kAround); ++i)
    share += kShares[i] *
             std::exp(twin.log_share_beyond(order, stretch + kAround[i], rate_per_s, bound_ns));
  return std::log(share);
}

TwinStretch stretch_to(const Twin& twin, double capacity_per_s) {
  return std::clamp(static_cast<TwinStretch>(
                        std::lround(100 * std::log(twin.capacity_per_s(0) / capacity_per_s))),
                    kLeastStretch, kMostStretch);
}

namespace {

double crossing_of(const Twin& twin, TwinOrder order, TwinStretch stretch, double bound_ns,
                   double log_share) {
  double low = 0, high = twin.capacity_per_s(stretch);
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (log_share_around(twin, order, stretch, middle, bound_ns) < log_share ? low : high) = middle;
  }
  return low;
}

}  // namespace

double expected_crossing(double saturation_per_s, const Twin& twin, double bound_ns,
                         double slo_percentile) {
  try {
    return crossing_of(twin, TwinOrder::fcfs, stretch_to(twin, saturation_per_s), bound_ns,
                       std::log(1 - slo_percentile / 100));
  } catch (const std::bad_alloc&) {
    return kNaN;
  }
}

double expected_crossing(const std::vector<Point>& points, const Twin& twin, double bound_ns,
                         double slo_percentile) {
  std::vector<const Point*> used;
  for (const Point& point : points) {
    if (!point.valid || !point.stable || point.closed > 0 || !(point.mean_response_ns > 0) ||
        !point.responses)
      continue;
    if (!twin.replayable(point)) return kNaN;
    used.push_back(&point);
  }
  if (used.empty()) return kNaN;
  try {
    struct Follower {
      TwinOrder order;
      TwinStretch stretch;
      double off;      ///< of the means
      double tail_by;  ///< number beyond the bound over the twins', its logarithm
    };
    std::vector<Follower> followers;
    double least_off = kInfinity;
    for (const TwinOrder order : kTwinOrders) {
      if (!twin.can(order)) continue;
      const TwinStretch stretch = matching_stretch(twin, order, used);
      double squares = 0, seen = 1, of_twins = 1;
      for (const Point* point : used) {
        squares += std::pow(
            std::log(point->mean_response_ns / twin.mean_of_replay_ns(*point, order, stretch)), 2);
        seen += point->responses->count_beyond(bound_ns);
        of_twins += seen_around(twin, *point, order, stretch, bound_ns);
      }
      const double off =
          std::max(kStretchStep, std::sqrt(squares / static_cast<double>(used.size())));
      followers.push_back({order, stretch, off, std::log(seen / of_twins)});
      least_off = std::min(least_off, off);
    }
    std::erase_if(followers, [&](const Follower& each) {
      return each.off > kFollowsAsWell * least_off ||
             (used.size() >= kFewestTwinnedTrials &&
              !(explained_of_means(twin, each.order, each.stretch, used) > kExplainedEnough));
    });
    if (followers.empty()) return kNaN;
    const Follower& best = *std::min_element(followers.begin(), followers.end(),
                                             [](const Follower& x, const Follower& y) {
                                               return std::abs(x.tail_by) < std::abs(y.tail_by);
                                             });
    return crossing_of(twin, best.order, best.stretch, bound_ns,
                       std::log(1 - slo_percentile / 100) - best.tail_by);
  } catch (const std::bad_alloc&) {
    return kNaN;
  }
}

}  // namespace precipice
