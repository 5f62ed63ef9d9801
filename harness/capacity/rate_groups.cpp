#include "harness/capacity/rate_groups.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace precipice {
namespace {

/// Prepares exact percentiles of any merge: the percentile of a union lies between the smallest and
/// the largest of its parts, so only those buckets are kept.
void keep_tails(RateGroup& group, const std::vector<const Histogram*>& histograms,
                double percentile) {
  std::int64_t low = Histogram::kHighest, high = 0;
  for (const Histogram* histogram : histograms) {
    const std::int64_t at = histogram->percentile(percentile);
    low = std::min(low, at);
    high = std::max(high, at);
  }
  high = std::min(high, Histogram::kHighest);
  const std::uint32_t first = Histogram::index_of(low);
  const std::uint32_t last = Histogram::index_of(high);
  // One edge below, so that a percentile can be interpolated inside the first bucket.
  const std::uint32_t base = first > 0 ? first - 1 : 0;
  for (std::uint32_t i = base; i <= last; ++i) {
    group.edges_ns.push_back(static_cast<double>(Histogram::bounds(i).second));
  }
  for (std::size_t m = 0; m < histograms.size(); ++m) {
    std::vector<double>& cumulative = group.members[m].cumulative;
    cumulative.assign(group.edges_ns.size(), 0);
    for (const auto& [index, count] : histograms[m]->buckets()) {
      if (index <= last) cumulative[index > base ? index - base : 0] += static_cast<double>(count);
    }
    for (std::size_t i = 1; i < cumulative.size(); ++i) cumulative[i] += cumulative[i - 1];
  }
}

double weighted_median(std::vector<std::pair<double, int>>& values) {
  std::sort(values.begin(), values.end());
  int total = 0;
  for (const auto& [value, weight] : values) total += weight;
  int seen = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    seen += values[i].second;
    if (2 * seen > total) return values[i].first;
    if (2 * seen == total) {
      std::size_t next = i + 1;
      while (next < values.size() && values[next].second == 0) ++next;
      return 0.5 * (values[i].first + values[next].first);
    }
  }
  return values.empty() ? 0 : values.back().first;
}

}  // namespace

bool RateGroup::overloaded() const {
  return std::none_of(members.begin(), members.end(),
                      [](const GroupMember& member) { return member.stable; });
}

std::optional<RateGroup::Merged> RateGroup::merge(const BlockWeights& weights,
                                                  double percentile) const {
  Merged merged;
  merged.rate_per_s = rate_per_s;
  merged.closed = closed;
  double total = 0, stable = 0;
  std::vector<std::pair<double, int>> goodputs;
  goodputs.reserve(members.size());
  for (const GroupMember& member : members) {
    const int weight = member.block == GroupMember::kEveryBlock ? 1 : weights[member.block];
    if (weight == 0) continue;
    goodputs.emplace_back(member.goodput_per_s, weight);
    const double requests = weight * member.requests;
    total += weight;
    merged.requests += requests;
    merged.mean_ns += requests * member.mean_ns;
    merged.loss += requests * member.loss;
    merged.percentile_ns += requests * member.percentile_ns;
    merged.responses += weight * member.responses;
    for (std::size_t i = 0; i < merged.beyond.size(); ++i) {
      merged.beyond[i] += weight * member.beyond[i];
      merged.exposure[i] += weight * member.exposure[i];
      if (member.beyond[i] > (1 - percentile / 100) * member.responses)
        merged.blocks_over[i] += weight;
    }
    if (member.stable) stable += weight;
  }
  if (total == 0) return std::nullopt;
  merged.blocks = total;
  const double share = merged.requests > 0 ? 1 / merged.requests : 0;
  merged.mean_ns *= share;
  merged.loss *= share;
  merged.percentile_ns *= share;  // of a single trial, unless histograms replace it below
  merged.goodput_per_s = weighted_median(goodputs);
  merged.stable = 2 * stable > total;
  if (edges_ns.empty()) return merged;

  const auto below = [&](std::size_t edge) {
    double count = 0;
    for (const GroupMember& member : members) {
      const int weight = member.block == GroupMember::kEveryBlock ? 1 : weights[member.block];
      if (weight != 0) count += weight * member.cumulative[edge];
    }
    return count;
  };
  // The middle of the step at the nearest rank: without the half, the expected quantile of n
  // samples from a tail is that of n + 1, too low by 1 / (n (1 - p)) of its scale.
  const double rank = std::min(merged.responses, percentile / 100 * merged.responses + 0.5);
  std::size_t low = 0, high = edges_ns.size() - 1;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (below(middle) >= rank) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  merged.percentile_ns = edges_ns[low];
  if (low > 0) {
    const double before = below(low - 1), at = below(low);
    const double part = at > before ? std::clamp((rank - before) / (at - before), 0.0, 1.0) : 1;
    merged.percentile_ns = edges_ns[low - 1] + part * (edges_ns[low] - edges_ns[low - 1]);
  }
  return merged;
}

RateGroups RateGroups::gather(const std::vector<Point>& points, double percentile,
                              const PerBound& bounds_ns) {
  const bool refined = std::any_of(points.begin(), points.end(), [](const Point& point) {
    return point.valid && point.closed == 0 && point.phase != Phase::coarse;
  });
  const auto used = [&](const Point& point) {
    return point.valid && point.rate_per_s > 0 && point.closed == 0 &&
           (!refined || point.phase != Phase::coarse);
  };

  RateGroups result;
  std::map<int, std::size_t> blocks;
  for (const Point& point : points) {
    if (used(point)) blocks.emplace(point.block, 0);
  }
  for (auto& [block, index] : blocks) {
    index = result.blocks++;
    result.block_ids.push_back(block);
  }

  std::vector<const Point*> open, closed;
  for (const Point& point : points) {
    if (used(point)) open.push_back(&point);
    if (point.valid && point.closed > 0) closed.push_back(&point);
  }
  std::stable_sort(open.begin(), open.end(), [](const Point* a, const Point* b) {
    return std::pair(a->rate_per_s, a->block) < std::pair(b->rate_per_s, b->block);
  });
  std::stable_sort(closed.begin(), closed.end(),
                   [](const Point* a, const Point* b) { return a->closed < b->closed; });

  const auto member = [&](const Point& point, std::size_t block) {
    const double responses =
        static_cast<double>(point.responses ? point.responses->count() : point.requests);
    PerBound beyond{};
    if (point.responses) {
      for (std::size_t i = 0; i < beyond.size(); ++i) {
        if (bounds_ns[i] > 0) beyond[i] = point.responses->count_beyond(bounds_ns[i]);
      }
    } else {
      for (std::size_t i = 0; i < beyond.size(); ++i) {
        if (bounds_ns[i] > 0)
          beyond[i] =
              responses * std::pow(1 - percentile / 100, bounds_ns[i] / point.slo_percentile_ns);
      }
    }
    return GroupMember{.block = block,
                       .goodput_per_s = point.goodput_per_s,
                       .mean_ns = point.mean_response_ns,
                       .percentile_ns = point.slo_percentile_ns,
                       .loss = point.loss,
                       .requests = static_cast<double>(point.requests),
                       .responses = responses,
                       .beyond = beyond,
                       .exposure = {responses, responses, responses},
                       .scatter = point.scatter,
                       .stable = point.stable,
                       .point = &point,
                       .cumulative = {}};
  };
  for (std::size_t i = 0; i < open.size();) {
    std::size_t end = i;
    bool merge = true;
    while (end < open.size() && open[end]->rate_per_s <= open[i]->rate_per_s * (1 + 1e-9)) {
      const Histogram* responses = open[end]->responses.get();
      merge = merge && responses != nullptr && responses->count() > 0;
      ++end;
    }
    for (std::size_t k = i; k < end;) {
      RateGroup group;
      group.rate_per_s = open[i]->rate_per_s;
      std::vector<const Histogram*> histograms;
      const std::size_t stop = merge ? end : k + 1;
      for (; k < stop; ++k) {
        group.members.push_back(member(*open[k], blocks.at(open[k]->block)));
        histograms.push_back(open[k]->responses.get());
      }
      if (merge) keep_tails(group, histograms, percentile);
      result.open.push_back(std::move(group));
    }
    i = end;
  }
  for (const Point* point : closed) {
    if (result.closed.empty() || result.closed.back().closed != point->closed) {
      result.closed.emplace_back().closed = point->closed;
    }
    const auto block = blocks.find(point->block);
    result.closed.back().members.push_back(
        member(*point, block == blocks.end() ? GroupMember::kEveryBlock : block->second));
  }
  // The plateau is measured in every block; the other steps of the search, once and shortly, have
  // led to it.
  const bool repeated =
      std::any_of(result.closed.begin(), result.closed.end(),
                  [](const RateGroup& group) { return group.members.size() > 1; });
  if (repeated) {
    std::erase_if(result.closed, [](const RateGroup& group) { return group.members.size() == 1; });
  }
  return result;
}

}  // namespace precipice
