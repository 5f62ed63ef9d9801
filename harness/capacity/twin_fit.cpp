#include "harness/capacity/twin_fit.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "harness/capacity/twin_match.hpp"
#include "harness/stats/poisson_regression.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

constexpr double kNear = 0.3;  // of the crossing
constexpr double kWeights[] = {0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98};
// Weight, level and slope are estimated, and the order where several follow.
constexpr double kEstimated = 3;
// How much less deviance, in units of the dispersion, two more parameters must bring, or three with
// the order: the 95% points of chi squared with two and three degrees of freedom.
constexpr double kWorthIt = 6, kWorthItWithOrder = 7.8, kLeastDispersion = 0.2;
// A twin of another kind of queue explains some of it too, and its long run is then no guide.
constexpr double kMostUnexplained = 0.4;
// So is one whose services, by the mean responses, are longer or shorter than saturation says.
constexpr TwinStretch kUnlikeSaturation = 10;
// The dispersion that twins leave, as a share of that without them, in queues whose service is 3%
// longer and scatters by 5 to 10% (see docs/coverage.md); it counts as so many degrees of freedom.
constexpr double kUsualShare = 0.08, kPriorDegrees = 3;
constexpr double kFewerThanThis = 0.05;  // as a share of the expected number: rounding
constexpr double kSlopeDeviation = 0.12, kBeside = 0.1;
// Fewer requests beyond the bound than this say too little about twins; then the means must be
// explained to this share, and the weight is that of a good fit.
constexpr double kFewBeyond = 3, kExplainedByMeans = 0.8, kWeightByMeans = 0.9;
// So much of the means is explained by a twin that fits, whatever the requests beyond the bound
// show.
constexpr double kExplainedWell = 0.97;
constexpr int kTableSteps = 64;

struct NearTrial {
  GroupMember* member = nullptr;
  double rate_per_s = 0;
};

class Fitter {
 public:
  Fitter(RateGroups& groups, const Twin& twin, const TwinFitOptions& options)
      : groups_(groups), twin_(twin), options_(options) {
    for (RateGroup& group : groups_.open) {
      if (std::abs(group.rate_per_s / options.crossing_per_s - 1) > kNear) continue;
      for (GroupMember& member : group.members) {
        lossy_ = lossy_ || (member.stable && member.loss > 0);
        if (!member.stable || member.loss > options.max_loss || !(member.mean_ns > 0)) continue;
        near_.push_back({&member, group.rate_per_s});
      }
    }
  }

  TwinFit run() {
    TwinFit none;
    const double room = options_.saturation_per_s - options_.crossing_per_s;
    // A twin refuses nothing, so its responses are no guide to those of a queue that does.
    if (near_.size() < kFewestTwinnedTrials || !(room > 0) || lossy_) return none;
    for (const NearTrial& trial : near_) {
      if (!twin_.replayable(*trial.member->point)) return none;
    }
    double counted_beyond = 0;
    for (const NearTrial& trial : near_) counted_beyond += trial.member->beyond[options_.bound];
    if (counted_beyond < kFewBeyond) return by_means();
    const double without = deviance(none, {});
    if (!std::isfinite(without)) return none;
    std::vector<Candidate> candidates = candidate_twins();
    if (candidates.empty()) return none;
    for (Candidate& each : candidates) weigh(each);
    const auto by_deviance = [](const Candidate& a, const Candidate& b) {
      return a.deviance < b.deviance;
    };
    Candidate* best = &*std::min_element(candidates.begin(), candidates.end(), by_deviance);
    estimated_ = candidates.size() > 1 ? kEstimated + 1 : kEstimated;
    const double least = best->deviance;
    const double worth = candidates.size() > 1 ? kWorthItWithOrder : kWorthIt;
    const bool worth_it = best->fit.used() && least <= kMostUnexplained * without &&
                          without - least >= worth * std::max(least / degrees(), kLeastDispersion);
    if (!worth_it) {
      // Trials that were all as lucky have little deviance for twins to take away.
      std::erase_if(candidates,
                    [](const Candidate& each) { return !(each.explained > kExplainedWell); });
      if (!options_.own || candidates.empty()) return none;
      best = &*std::min_element(candidates.begin(), candidates.end(), by_deviance);
      best->fit.weight = kWeightByMeans;
    }
    settle_dispersion(best->fit, best->luck, worth_it ? least / without : 1 - best->explained);
    write(best->fit);
    return best->fit;
  }

 private:
  /// A trial's expected number beyond the bound and what its twin had.
  struct Luck {
    double seen = 0, expected = 0;
  };
  struct Candidate {
    TwinFit fit;
    double explained = 0;    ///< of the means
    std::vector<Luck> luck;  ///< of each trial
    double deviance = kInfinity;
  };

  double degrees() const { return std::max(1.0, static_cast<double>(near_.size()) - estimated_); }
  /// Finds the weight that leaves the least deviance; 0 where none leaves less than no twin.
  void weigh(Candidate& candidate) const {
    tabulate(candidate.fit);
    candidate.luck = luck_of(candidate.fit);
    candidate.deviance = deviance({}, {});
    TwinFit fit = candidate.fit;
    for (const double weight : kWeights) {
      fit.weight = weight;
      const double left = deviance(fit, candidate.luck);
      if (left >= candidate.deviance) continue;
      candidate.deviance = left;
      candidate.fit.weight = weight;
    }
  }

  /// Where hardly any request lies beyond the bound, what twins are worth shows in the means.
  TwinFit by_means() {
    // Which of two orders with much the same means it is, only the tail would show.
    const std::vector<Candidate> candidates = candidate_twins();
    if (candidates.size() != 1 || !(candidates.front().explained > kExplainedByMeans)) return {};
    TwinFit fit = candidates.front().fit;
    fit.weight = kWeightByMeans;
    tabulate(fit);
    settle_dispersion(fit, luck_of(fit), 1 - candidates.front().explained);
    write(fit);
    return fit;
  }
  /// In each order whose means follow those of the trials about as well as the best do.
  std::vector<Candidate> candidate_twins() const {
    std::vector<const Point*> points;
    for (const NearTrial& trial : near_) points.push_back(trial.member->point);
    std::vector<std::pair<TwinFit, double>> by_spread;
    double least = kInfinity;
    for (const TwinOrder order : kTwinOrders) {
      if (!twin_.can(order) || (options_.order && order != *options_.order)) continue;
      TwinFit fit;
      fit.order = order;
      fit.stretch = matching_stretch(twin_, order, points);
      if (std::abs(fit.stretch - stretch_to(twin_, options_.saturation_per_s)) > kUnlikeSaturation)
        continue;
      by_spread.emplace_back(
          fit, std::max(kStretchStep, spread_of_means(twin_, order, fit.stretch, points)));
      least = std::min(least, by_spread.back().second);
    }
    std::vector<Candidate> candidates;
    for (const auto& [fit, spread] : by_spread) {
      if (spread > kFollowsAsWell * least) continue;
      const double explained = explained_of_means(twin_, fit.order, fit.stretch, points);
      if (!std::isfinite(explained)) continue;
      candidates.emplace_back();
      candidates.back().fit = fit;
      candidates.back().explained = explained;
    }
    return candidates;
  }

  void tabulate(TwinFit& fit) const {
    fit.first_rate_per_s = (1 - 1.5 * kNear) * options_.crossing_per_s;
    const double last =
        std::min(0.995 * options_.saturation_per_s, (1 + 1.5 * kNear) * options_.crossing_per_s);
    fit.step_per_s = (last - fit.first_rate_per_s) / kTableSteps;
    fit.log_shares.clear();
    for (int i = 0; i <= kTableSteps; ++i)
      fit.log_shares.push_back(log_share_around(twin_, fit.order, fit.stretch,
                                                fit.first_rate_per_s + i * fit.step_per_s,
                                                options_.bound_ns));
    const double allowed = std::log(1 - options_.slo_percentile / 100);
    fit.long_run_error = twin_.error_of_share(fit.order, fit.stretch,
                                              std::min(fit.crossing(allowed), last), allowed);
    // A tail that falls exponentially with the headroom is the usual one; a twin with another slope
    // is a worse guide.
    const double room = options_.saturation_per_s - options_.crossing_per_s;
    const double above = -std::log(1 - options_.slo_percentile / 100);
    const double beside = kBeside * room;
    const double slope = (fit.log_share(options_.crossing_per_s + beside) -
                          fit.log_share(options_.crossing_per_s - beside)) /
                         (2 * kBeside);
    const double off = slope > 0 ? std::log(slope / above) : 1;
    fit.slope_deviation = above * std::hypot(kSlopeDeviation, off / 2);
  }

  Luck luck_of(const TwinFit& fit, const GroupMember& member, double rate_per_s) const {
    Luck luck;
    luck.seen = seen_around(twin_, *member.point, fit.order, fit.stretch, options_.bound_ns);
    luck.expected = member.responses * std::exp(fit.log_share(rate_per_s));
    return luck;
  }
  std::vector<Luck> luck_of(const TwinFit& fit) const {
    std::vector<Luck> all;
    for (const NearTrial& trial : near_)
      all.push_back(luck_of(fit, *trial.member, trial.rate_per_s));
    return all;
  }
  static double factor(const TwinFit& fit, const Luck& luck) {
    return std::max(kFewerThanThis * (1 - fit.weight),
                    1 + fit.weight * (luck.seen / luck.expected - 1));
  }

  std::vector<CountedPoint> counted(const TwinFit& fit, const std::vector<Luck>& luck) const {
    std::vector<CountedPoint> points;
    for (std::size_t i = 0; i < near_.size(); ++i) {
      const GroupMember& member = *near_[i].member;
      const double room = options_.saturation_per_s - options_.crossing_per_s;
      double exposure = member.responses;
      if (fit.used())
        exposure *= factor(fit, luck[i]) * std::exp(fit.log_share(near_[i].rate_per_s) -
                                                    fit.log_share(options_.crossing_per_s));
      points.push_back({.x = (near_[i].rate_per_s - options_.crossing_per_s) / room,
                        .exposure = exposure,
                        .count = member.beyond[options_.bound]});
    }
    return points;
  }

  /// The slope is known from saturation, or from the twins' own.
  SlopePrior prior(const TwinFit& fit) const {
    const double above = -std::log(1 - options_.slo_percentile / 100);
    if (fit.used()) return {.mean = 0, .deviation = fit.slope_deviation};
    return {.mean = above, .deviation = 0.25 * above};
  }

  double deviance(const TwinFit& fit, const std::vector<Luck>& luck) const {
    const std::vector<CountedPoint> points = counted(fit, luck);
    const auto line = poisson_regression(points, prior(fit));
    if (!line) return kInfinity;
    double sum = 0;
    for (const CountedPoint& point : points) {
      const double expected = point.exposure * std::exp(line->at(point.x));
      if (point.count > 0) sum += 2 * point.count * std::log(point.count / expected);
      sum -= 2 * (point.count - expected);
    }
    return sum;
  }

  void settle_dispersion(TwinFit& fit, const std::vector<Luck>& luck, double unexplained) const {
    const std::vector<CountedPoint> points = counted(fit, luck);
    const auto line = poisson_regression(points, prior(fit));
    double squares = 0;
    for (const CountedPoint& point : points) {
      if (!line) break;
      const double expected = point.exposure * std::exp(line->at(point.x));
      squares += (point.count - expected) * (point.count - expected) / expected;
    }
    if (line) squares = std::max(squares, deviance(fit, luck));
    const double usual = std::max(std::max(kUsualShare, unexplained) * options_.index_of_dispersion,
                                  kLeastDispersion);
    fit.degrees = degrees() + kPriorDegrees;
    fit.dispersion = (squares + kPriorDegrees * usual) / fit.degrees;
  }

  void write(const TwinFit& fit) {
    for (RateGroup& group : groups_.open) {
      if (group.rate_per_s < fit.first_rate_per_s ||
          group.rate_per_s > fit.first_rate_per_s + kTableSteps * fit.step_per_s)
        continue;
      for (GroupMember& member : group.members) {
        if (!member.stable) continue;
        member.exposure[options_.bound] =
            member.responses * factor(fit, luck_of(fit, member, group.rate_per_s));
      }
    }
  }

  RateGroups& groups_;
  const Twin& twin_;
  const TwinFitOptions& options_;
  std::vector<NearTrial> near_;
  bool lossy_ = false;
  double estimated_ = kEstimated;
};

}  // namespace

double TwinFit::log_share(double rate_per_s) const {
  const double steps = std::clamp((rate_per_s - first_rate_per_s) / step_per_s, 0.0,
                                  static_cast<double>(log_shares.size() - 1));
  const std::size_t low = std::min(static_cast<std::size_t>(steps), log_shares.size() - 2);
  const double part = steps - static_cast<double>(low);
  return (1 - part) * log_shares[low] + part * log_shares[low + 1];
}

bool correct_goodput(RateGroups& groups, const Twin& twin, double saturation_per_s) {
  constexpr double kSaturated = 1.02, kFull = 0.9;  // of saturation: offered, and carried
  constexpr double kBetter = 2;                     // times smaller a variance
  constexpr double kLeastLuck = 0.8;
  if (!twin.service().varies) return false;
  const TwinStretch stretch = stretch_to(twin, saturation_per_s);
  const double capacity = twin.capacity_per_s(stretch);
  std::vector<std::pair<GroupMember*, double>> corrected;
  double squares = 0, squares_corrected = 0;
  for (auto* groups_of : {&groups.open, &groups.closed}) {
    for (RateGroup& group : *groups_of) {
      if (group.closed == 0 && group.rate_per_s < kSaturated * capacity) continue;
      std::vector<double> raw, better;
      for (GroupMember& member : group.members) {
        if (!twin.replayable(*member.point)) continue;
        const double luck =
            twin.replay(*member.point, TwinOrder::fcfs, stretch)->goodput_per_s / capacity;
        // A saturated trial of long services carries less, and so does its twin; but so do small
        // closed loops.
        const double share = std::clamp(luck, kLeastLuck, 1.0);
        if (!(luck > 0) || member.goodput_per_s < kFull * share * saturation_per_s) continue;
        corrected.emplace_back(&member, member.goodput_per_s / luck);
        raw.push_back(std::log(member.goodput_per_s));
        better.push_back(std::log(corrected.back().second));
      }
      if (raw.size() < 2) continue;
      const auto count = static_cast<double>(raw.size() - 1);
      squares += count * std::pow(standard_deviation(raw), 2);
      squares_corrected += count * std::pow(standard_deviation(better), 2);
    }
  }
  if (!(squares > kBetter * squares_corrected)) return false;
  for (const auto& [member, goodput] : corrected) member->goodput_per_s = goodput;
  return true;
}

double TwinFit::crossing(double log_share) const {
  const auto above = std::find_if(log_shares.begin(), log_shares.end(),
                                  [&](double each) { return each >= log_share; });
  return first_rate_per_s + static_cast<double>(above - log_shares.begin()) * step_per_s;
}

TwinFit fit_twins(RateGroups& groups, const Twin& twin, const TwinFitOptions& options) {
  try {
    return Fitter(groups, twin, options).run();
  } catch (const std::bad_alloc&) {  // an address space that is limited: then without them
    return {};
  }
}

}  // namespace precipice
