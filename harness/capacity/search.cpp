#include "harness/capacity/search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <span>
#include <utility>

#include "harness/capacity/rate_groups.hpp"
#include "harness/capacity/slo_crossing.hpp"
#include "harness/capacity/twin_match.hpp"
#include "harness/stats/statistics.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

constexpr int kMostInvalid = 3;  // in a row, before a phase is ended with what is known
constexpr int kMostSteps = 14;   // up or down from the first rate without a bracket
// Near enough to leave the bracket as it is, far enough to avoid a resonance with the host.
constexpr double kNudges[] = {1.0, 0.98, 1.02, 0.965};
// From one block to the next: how far beyond the rates that missed the cliff at least and at most,
// how far from the coarse value at most, and how near to a measured rate is as good as it.
constexpr double kPastTheEdge = 1.1, kFarPastTheEdge = 1.5;
constexpr double kFurthest = 2;
constexpr double kMergeable = 0.025;
constexpr int kSequencesApart = 1000;  // more than a suite lists of one kind
// Near enough for all to count in the fit, and too far apart for one to take another's place.
constexpr double kClose[] = {0.91, 0.96, 1.01, 1.06};
constexpr double kUp[] = {1.25, 1.5, 2.0};
constexpr double kDown[] = {0.7, 0.5, 0.25};
// From where a twin expects the crossing.
constexpr double kUpWithTwin[] = {1.15, 1.15, 1.25, 1.5, 2.0};
constexpr double kDownWithTwin[] = {0.87, 0.87, 0.7, 0.5, 0.25};
constexpr int kMostGivenUp = 4;  // to a seventh of the first rate and less
// A percentile that the lower rate should have lowered, and did not; how long to look for the dip
// then, and which of two gaps counts as the wider.
constexpr double kNotLower = 0.9;
constexpr int kMostLooks = 5;
constexpr double kWider = 1.01;

template <std::size_t N>
double pick(const double (&steps)[N], int index) {
  return steps[std::min<std::size_t>(static_cast<std::size_t>(index), N - 1)];
}

}  // namespace

Search::Search(SearchOptions options)
    : options_(std::move(options)), closed_(std::max<std::uint64_t>(1, options_.first_closed)) {
  if (options_.highest_closed == 0) phase_ = Phase::coarse;
}

bool Search::meets_slo(const Point& point) const {
  return point.stable && point.loss <= options_.max_loss &&
         point.slo_percentile_ns <= options_.slo_ns;
}

std::optional<Probe> Search::next() {
  if (done_ || probes_ >= kMostProbes) return std::nullopt;
  if (phase_ == Phase::plateau) {
    ++probes_;
    return Probe{.phase = Phase::plateau, .closed = closed_};
  }
  const std::optional<double> rate = coarse_candidate();
  if (!rate) {
    done_ = true;
    return std::nullopt;
  }
  ++probes_;
  asked_ = *rate * pick(kNudges, invalid_in_a_row_);
  if (options_.highest_rate_per_s > 0) asked_ = std::min(asked_, options_.highest_rate_per_s);
  return Probe{.phase = Phase::coarse, .rate_per_s = asked_};
}

void Search::add(const Point& point) {
  if (phase_ == Phase::plateau) {
    add_plateau(point);
  } else {
    add_coarse(point);
  }
}

void Search::add_plateau(const Point& point) {
  if (point.valid) {
    invalid_in_a_row_ = 0;
    ++swept_;
    const bool grew = point.goodput_per_s > plateau_ * (1 + options_.plateau_growth);
    flat_in_a_row_ = grew ? 0 : flat_in_a_row_ + 1;
    if (point.goodput_per_s > plateau_) {
      plateau_ = point.goodput_per_s;
      plateau_closed_ = point.closed;
    }
  } else {
    ++invalid_in_a_row_;
  }
  const bool flat = flat_in_a_row_ >= 2 && swept_ >= options_.least_sweep;
  const bool too_slow = options_.longest_turn_s > 0 && plateau_ > 0 &&
                        2 * static_cast<double>(closed_) > plateau_ * options_.longest_turn_s;
  if (flat || too_slow || invalid_in_a_row_ >= kMostInvalid || closed_ >= options_.highest_closed) {
    phase_ = Phase::coarse;
    invalid_in_a_row_ = 0;
    return;
  }
  closed_ = std::min(closed_ * 2, options_.highest_closed);
}

/// Where the twin says that the crossing is; NaN where it does not.
double Search::expected() const {
  if (!options_.twin) return kNaN;
  std::vector<Point> points = of_coarse_;
  points.insert(points.end(), learned_.begin(), learned_.end());
  // A twin refuses nothing: where loss is the limit it knows no better.
  if (std::any_of(points.begin(), points.end(),
                  [](const Point& point) { return point.valid && point.stable && point.loss > 0; }))
    return kNaN;
  return expected_crossing(points, *options_.twin, options_.slo_ns, options_.slo_percentile);
}

double Search::start_rate() const {
  if (options_.twin && plateau_ > 0) {
    const double rate =
        expected_crossing(plateau_, *options_.twin, options_.slo_ns, options_.slo_percentile);
    if (rate > 0) return std::max(rate, options_.lowest_rate_per_s);
  }
  // M/M/1 passes its 10xS at 0.54 of saturation, a deterministic queue only just below it: between.
  const double wanted = plateau_ > 0 ? 0.7 * plateau_ : options_.first_rate_per_s;
  return std::max(wanted, options_.lowest_rate_per_s);
}

std::optional<double> Search::coarse_candidate() const {
  if (invalid_in_a_row_ > kMostInvalid || steps_up_ + steps_down_ > kMostSteps) return std::nullopt;
  const double limit = options_.highest_rate_per_s > 0 ? options_.highest_rate_per_s : kUnknown;

  if (pass_ > 0 && fail_ < kUnknown) {
    if (fail_ / pass_ <= options_.coarse_ratio) return std::nullopt;
    return std::sqrt(pass_ * fail_);
  }
  if (pass_ > 0) {
    if (pass_ >= limit) return std::nullopt;
    const double higher = std::min(
        pass_ * (options_.twin ? pick(kUpWithTwin, steps_up_) : pick(kUp, steps_up_)), limit);
    if (higher < too_fast_) return higher;
    // Between what passed and what could not be offered: as high as it goes.
    if (too_fast_ / pass_ <= options_.coarse_ratio) return std::nullopt;
    return std::sqrt(pass_ * too_fast_);
  }
  if (fail_ < kUnknown && dip_ == Dip::looking) return std::min(next_of_dip(), limit);
  if (fail_ < kUnknown) {
    const double lowest =
        options_.lowest_rate_per_s > 0 ? options_.lowest_rate_per_s : start_rate() / 4096;
    if (fail_ <= lowest) return std::nullopt;
    return std::max(
        fail_ * (options_.twin ? pick(kDownWithTwin, steps_down_) : pick(kDown, steps_down_)),
        lowest);
  }
  const double start = std::min(start_rate(), limit);
  if (!(start > 0)) return std::nullopt;
  return too_fast_ < kUnknown ? std::min(start, 0.6 * too_fast_) : start;
}

void Search::add_coarse(const Point& point) {
  if (!point.valid) {
    if (point.generator_limited) {
      too_fast_ = std::min(too_fast_, asked_);
      // Halving towards a rate that can be offered is progress, not a wedge; but it is bounded.
      ++steps_up_;
      invalid_in_a_row_ = 0;
    } else if (++invalid_in_a_row_ > kMostInvalid && pass_ == 0 && given_up_ < kMostGivenUp) {
      // Nobody knows whether this rate would hold; a much lower one may be measurable.
      ++given_up_;
      too_fast_ = std::min(too_fast_, asked_);
      invalid_in_a_row_ = 0;
    }
    return;
  }
  invalid_in_a_row_ = 0;
  of_coarse_.push_back(point);
  const bool bracketed = pass_ > 0 && fail_ < kUnknown;
  if (meets_slo(point)) {
    if (pass_ == 0 && fail_ < asked_) fail_ = kUnknown;  // the low rates that failed lie below it
    dip_ = Dip::done;
    pass_ = std::max(pass_, asked_);
    if (!bracketed && fail_ == kUnknown) ++steps_up_;
  } else {
    add_failing(point);
    if (!bracketed && pass_ == 0) ++steps_down_;
  }
}

void Search::add_failing(const Point& point) {
  if (pass_ > 0) {
    // Below what has passed it is no end of anything.
    if (asked_ > pass_) fail_ = std::min(fail_, asked_);
    return;
  }
  const bool by_latency = point.stable && point.loss <= options_.max_loss;
  const double percentile = by_latency ? point.slo_percentile_ns : kUnknown;
  const auto lowest = failing_.begin();
  const bool not_lower = by_latency && lowest != failing_.end() && asked_ < lowest->first &&
                         percentile >= kNotLower * lowest->second;
  failing_[asked_] = percentile;
  fail_ = std::min(fail_, asked_);
  if (dip_ == Dip::not_seen && not_lower)
    dip_ = Dip::looking;
  else if (dip_ == Dip::looking && ++looked_ >= kMostLooks)
    dip_ = Dip::done;
}

/// Above the least latency while it is the highest rate, then into the wider of the gaps beside it.
double Search::next_of_dip() const {
  const auto least =
      std::min_element(failing_.rbegin(), failing_.rend(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const double rate = least->first;
  const auto above = failing_.upper_bound(rate);
  if (above == failing_.end()) return rate * pick(kUp, looked_);
  const auto at = failing_.find(rate);
  const double upward = above->first / rate;
  const double downward = at == failing_.begin() ? 1 : rate / std::prev(at)->first;
  return downward > kWider * upward ? rate / std::sqrt(downward) : rate * std::sqrt(upward);
}

double Search::coarse_rate_per_s() const {
  // A bracket that reaches past what can be offered is of use below that only.
  if (pass_ > 0 && fail_ < kUnknown) return std::sqrt(pass_ * std::min(fail_, too_fast_));
  if (pass_ > 0) return pass_;
  if (fail_ < kUnknown) return fail_;
  return 0;
}

void Search::learn(const Point& point) {
  if (point.valid && point.closed == 0 && point.rate_per_s > 0) learned_.push_back(point);
}

double Search::centre() const {
  const double coarse = coarse_rate_per_s();
  const RateGroups groups =
      RateGroups::gather(learned_, options_.slo_percentile, {options_.slo_ns});
  const double saturation = plateau_ > 0 ? plateau_ : coarse;
  const Dispersion bursts(groups.open, saturation, options_.slo_percentile);
  std::vector<RateGroup::Merged> merged;
  for (const RateGroup& group : groups.open) {
    if (auto each = group.merge(BlockWeights(groups.blocks, 1), options_.slo_percentile))
      merged.push_back(*each);
  }
  const SloCrossing crossing =
      find_slo_crossing(merged, {.slo_ns = options_.slo_ns,
                                 .slo_percentile = options_.slo_percentile,
                                 .max_loss = options_.max_loss,
                                 .saturation_per_s = saturation,
                                 .bursts = plateau_ > 0 ? &bursts : nullptr});
  double result = coarse;
  if (crossing.reached == Reached::ok) result = crossing.value;
  // 1 / percentile falls with the rate to 0 at saturation.
  const double followed =
      plateau_ - (plateau_ - crossing.value) * crossing.at.percentile_ns / options_.slo_ns;
  if (crossing.reached == Reached::above && crossing.bracket_high > crossing.value) {
    // Something fails, too far up to say where it begins.
    result = std::sqrt(crossing.value * crossing.bracket_high);
  } else if (crossing.reached == Reached::above) {
    const double edge = std::max(coarse, crossing.value);
    result = std::clamp(followed, edge * kPastTheEdge, edge * kFarPastTheEdge);
  }
  if (crossing.reached == Reached::below) {
    const double edge = std::min(coarse, crossing.value);
    result = std::clamp(followed, edge / kFarPastTheEdge, edge / kPastTheEdge);
  }
  return std::clamp(result, coarse / kFurthest, coarse * kFurthest);
}

std::vector<Probe> Search::block(int index) const {
  const double coarse = coarse_rate_per_s();
  double middle = bracketed() && !learned_.empty() ? centre() : coarse;
  if (const double by_twin = bracketed() ? expected() : kNaN; by_twin > 0)
    middle = std::clamp(by_twin, coarse / kFurthest, coarse * kFurthest);
  std::vector<Probe> probes;
  // A rate's sequence is its place in the suite's list, so that models share it whatever each
  // leaves out.
  constexpr std::size_t kNamed = 5;  // beside those of the phases
  std::array<int, kNamed + 1> places{};
  const auto offer = [&](Phase phase, double rate, double apart = 0.005, bool named = false) {
    const auto kind = named ? kNamed : static_cast<std::size_t>(phase);
    const int sequence = kSequencesApart * static_cast<int>(kind) + ++places[kind];
    const bool possible = rate > 0 && rate < too_fast_ &&
                          (options_.highest_rate_per_s <= 0 || rate <= options_.highest_rate_per_s);
    const bool known = std::any_of(probes.begin(), probes.end(), [&](const Probe& probe) {
      return std::abs(probe.rate_per_s - rate) < apart * rate;
    });
    if (possible && !known)
      probes.push_back({.phase = phase, .rate_per_s = rate, .sequence = sequence});
  };
  for (const double rate : options_.rates) offer(Phase::grid, rate, 0, true);
  const std::size_t named = probes.size();
  const std::span<const double> around = settled_ ? std::span(kClose) : std::span(options_.refine);
  for (const double times : around) {
    double rate = times * middle, apart = kMergeable;
    for (const Point& point : learned_) {
      if (point.phase != Phase::refine) continue;
      const double off = std::abs(point.rate_per_s / (times * middle) - 1);
      if (off < apart) {
        apart = off;
        rate = point.rate_per_s;
      }
    }
    offer(Phase::refine, rate);
  }
  // At the edge of what can be offered the refining rates above are missing, and where the blocks
  // so far point past it all of them may be: measure the edge.
  const bool reached_above = pass_ > 0 && fail_ == kUnknown;
  if (reached_above || probes.size() == named) offer(Phase::refine, coarse);
  if (!settled_) {
    for (const double times : options_.overload) {
      offer(Phase::overload, times * (plateau_ > 0 ? plateau_ : coarse));
    }
    if (index == 0 || options_.grid_every_block)
      for (const double times : options_.grid) offer(Phase::grid, times * coarse);
    for (const double times : options_.towards_plateau) {
      offer(Phase::grid, times * plateau_ > coarse ? times * plateau_ : 0, 0.02);
    }

    // The search has measured it once, in the first block; an interval needs it in every block.
    if (index > 0 && plateau_closed_ > 0) {
      probes.push_back({.phase = Phase::plateau, .closed = plateau_closed_});
    }
  }

  Random random(mix64(options_.seed) ^ mix64(static_cast<std::uint64_t>(index)));
  for (std::size_t i = probes.size(); i > 1; --i) std::swap(probes[i - 1], probes[random.below(i)]);
  return probes;
}

}  // namespace precipice
