#include "harness/compare/claim_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/compare/cell_lookup.hpp"
#include "harness/compare/claim_text.hpp"
#include "harness/compare/figure_doubt.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

using Kind = ClaimNode::Kind;
using Relation = ClaimRelation::Kind;

/// The interval of a bootstrap that misses more of its resamples would be too narrow.
constexpr double kMostMissing = 0.2;

struct Sides {
  double left = kNaN, right = kNaN;
};

/// A figure, and every node that asks for it.
struct Asked {
  std::size_t cell = 0;
  std::vector<std::size_t> nodes;
  FigureReading reading;
  std::vector<double> resampled;
  FigureDoubt doubt;
};

class Judge {
 public:
  Judge(const Plan& plan, const CampaignResult& run, ClaimFigures& figures, const Claim& claim)
      : run_(run), figures_(figures), claim_(parse_claim(claim.that)), text_(claim_) {
    verdict_.claim = claim;
    const std::vector<CellName> cells = cells_of(plan);
    const std::vector<std::size_t> named = resolve_claim(claim_, cells, plan.classes);
    for (std::size_t i = 0; i < named.size(); ++i) {
      if (claim_.nodes[i].kind == Kind::call) wanted_.emplace_back(i, cells[named[i]]);
    }
  }

  ClaimVerdict judge() {
    if (!find_cells() || !read_figures()) return std::move(verdict_);
    compare();
    return std::move(verdict_);
  }

 private:
  const ClaimNode& node(std::size_t index) const { return claim_.nodes[index]; }
  bool give_up(ClaimOutcome outcome, std::string why) {
    verdict_.outcome = outcome;
    verdict_.numbers = std::move(why);
    return false;
  }

  bool find_cells() {
    for (const auto& [index, name] : wanted_) {
      const std::string cell_text =
          fmt::format("{} on {}", name.model.to_string(), name.workload.to_string());
      const auto found = std::find_if(
          run_.cells.begin(), run_.cells.end(), [&cell_name = name](const CellSummary& cell) {
            return cell.model.to_string() == cell_name.model.to_string() &&
                   cell.workload.to_string() == cell_name.workload.to_string();
          });
      if (found == run_.cells.end())
        return give_up(ClaimOutcome::undecided, cell_text + " was not measured in this run");
      if (!found->failure.empty()) {
        return give_up(found->lacking ? ClaimOutcome::lacking : ClaimOutcome::invalid,
                       fmt::format("{}: {}", cell_text, found->failure));
      }
      const bool valid = std::any_of(found->evidence.begin(), found->evidence.end(),
                                     [](const Point& point) { return point.valid; });
      if (!valid) {
        std::string causes;
        for (const auto& [cause, count] : found->invalid_causes)
          causes += fmt::format("{}{} {}", causes.empty() ? ": " : ", ", cause, count);
        return give_up(
            found->lacking ? ClaimOutcome::lacking : ClaimOutcome::invalid,
            fmt::format("{}: none of its {} trials is valid{}", cell_text, found->trials, causes));
      }
      ask(index, static_cast<std::size_t>(found - run_.cells.begin()));
    }
    return true;
  }

  void ask(std::size_t index, std::size_t cell) {
    const ClaimNode& call = node(index);
    for (Asked& each : asked_) {
      const ClaimNode& other = node(each.nodes.front());
      const bool same_load = call.load.has_value() == other.load.has_value() &&
                             (!call.load || (call.load->value == other.load->value &&
                                             call.load->share == other.load->share));
      if (each.cell == cell && call.figure == other.figure && same_load &&
          call.of_class == other.of_class) {
        each.nodes.push_back(index);
        return;
      }
    }
    Asked& asked = asked_.emplace_back();
    asked.cell = cell;
    asked.nodes.push_back(index);
  }

  bool read_figures() {
    blocks_ = std::numeric_limits<int>::max();
    for (Asked& asked : asked_) {
      const ClaimNode& call = node(asked.nodes.front());
      const std::string written = text_.source(asked.nodes.front());
      asked.reading = figures_.whole(asked.cell, call);
      verdict_.figures.push_back({written, asked.reading});
      if (!asked.reading.missing.empty()) {
        const CellSummary& cell = run_.cells[asked.cell];
        return give_up(
            cell.lacking ? ClaimOutcome::lacking : ClaimOutcome::undecided,
            fmt::format("{}: {}", written, cell.lacking ? cell.note : asked.reading.missing));
      }
      blocks_ = std::min(blocks_, figures_.blocks(asked.cell));
    }
    for (Asked& asked : asked_) {
      const FigureReading& reading = asked.reading;
      if (blocks_ >= 2) {
        asked.resampled = figures_.resampled(asked.cell, node(asked.nodes.front()));
      } else if (!reading.has_interval && !reading.exact) {
        return give_up(ClaimOutcome::undecided,
                       fmt::format("{} is {}, and one block has no interval of it",
                                   text_.source(asked.nodes.front()),
                                   quantity(reading.value, node(asked.nodes.front()).dimension)));
      }
      asked.doubt = doubt_of(asked.reading, asked.resampled, figures_.resamples(),
                             figures_.blocks(asked.cell));
    }
    return true;
  }

  /// Both sides, with the value of each figure given by its place in asked_.
  template <class Value>
  Sides evaluate(Value value_of) {
    values_.assign(claim_.nodes.size(), kNaN);
    for (std::size_t a = 0; a < asked_.size(); ++a) {
      for (const std::size_t index : asked_[a].nodes) values_[index] = value_of(a);
    }
    for (std::size_t i = 0; i < claim_.nodes.size(); ++i) {
      const ClaimNode& each = claim_.nodes[i];
      const double left = values_[each.left], right = values_[each.right];
      switch (each.kind) {
        case Kind::call:
          break;
        case Kind::number:
          values_[i] = each.value;
          break;
        case Kind::negate:
          values_[i] = -left;
          break;
        case Kind::add:
          values_[i] = left + right;
          break;
        case Kind::subtract:
          values_[i] = left - right;
          break;
        case Kind::multiply:
          values_[i] = left * right;
          break;
        case Kind::divide:
          values_[i] = left / right;
          break;
      }
    }
    return {values_[claim_.left], values_[claim_.right]};
  }

  double statistic(const Sides& sides) const {
    return ratio_ ? std::log(sides.left / sides.right) : sides.left - sides.right;
  }

  void compare() {
    const Sides whole = evaluate([&](std::size_t a) { return asked_[a].reading.value; });
    if (!std::isfinite(whole.left) || !std::isfinite(whole.right)) {
      give_up(ClaimOutcome::undecided, "divides by a figure that is 0, or is too large to compute");
      return;
    }
    const bool absolute = claim_.kind == Relation::within && !claim_.relative_tolerance;
    ratio_ = whole.left > 0 && whole.right > 0 && !absolute;
    std::vector<Sides> resampled;
    double missing = 0;
    if (blocks_ >= 2) {
      for (std::size_t r = 0; r < figures_.resamples().size(); ++r) {
        resampled.push_back(evaluate([&](std::size_t a) { return asked_[a].resampled[r]; }));
        const Sides& sides = resampled.back();
        const bool known = std::isfinite(sides.left) && std::isfinite(sides.right);
        if (!known) missing += figures_.resamples()[r].probability;
        if (known && !(sides.left > 0 && sides.right > 0)) ratio_ = false;
      }
    }
    if (missing > kMostMissing) {
      give_up(ClaimOutcome::undecided,
              fmt::format("{}; too few blocks have every figure for an interval",
                          text_.sides(whole, readings())));
      return;
    }
    if (claim_.kind == Relation::within && claim_.relative_tolerance && !ratio_) {
      give_up(ClaimOutcome::undecided, fmt::format("{}; a share is of a positive value only",
                                                   text_.sides(whole, readings())));
      return;
    }
    std::vector<double> statistics;
    for (const Sides& sides : resampled) statistics.push_back(statistic(sides));
    const double centre = statistic(whole);
    const double half = half_interval(statistics, figures_.resamples(), blocks_);
    double up = half, down = half;
    for (std::size_t a = 0; a < asked_.size(); ++a) shift(a, centre, up, down);
    decide(centre - down, centre + up);
    describe(whole, centre, centre - down, centre + up);
  }

  /// How far the statistic moves when one figure moves to the ends of what is known of it.
  void shift(std::size_t moved, double centre, double& up, double& down) {
    for (const double logarithm : {asked_[moved].doubt.up, -asked_[moved].doubt.down}) {
      if (logarithm == 0) continue;
      const double at = statistic(evaluate([&](std::size_t a) {
        return a == moved ? asked_[a].reading.value * std::exp(logarithm) : asked_[a].reading.value;
      }));
      // Both sides of a ratio beyond all bounds, or a side that is no longer positive.
      if (std::isnan(at)) up = down = kInfinity;
      if (at > centre) up += at - centre;
      if (at < centre) down += centre - at;
    }
  }

  void decide(double low, double high) {
    // The relation's bounds on the scale of the statistic: it holds for values strictly between
    // them, and both ends of the interval have to be there.
    double least = -kInfinity, most = kInfinity;
    switch (claim_.kind) {
      case Relation::above:
      case Relation::at_least:
        least = 0;
        break;
      case Relation::below:
      case Relation::at_most:
        most = 0;
        break;
      case Relation::within:
        least = ratio_ ? std::log1p(-std::min(claim_.tolerance, 1.0)) : -claim_.tolerance;
        most =
            ratio_ && claim_.relative_tolerance ? std::log1p(claim_.tolerance) : claim_.tolerance;
    }
    const bool closed = claim_.kind == Relation::at_least || claim_.kind == Relation::at_most ||
                        claim_.kind == Relation::within;
    const auto inside = [&](double value) {
      return closed ? value >= least && value <= most : value > least && value < most;
    };
    const bool low_inside = least == -kInfinity || inside(low);
    const bool high_inside = most == kInfinity || inside(high);
    const bool beyond = closed ? high < least || low > most : high <= least || low >= most;
    if (beyond)
      verdict_.outcome = ClaimOutcome::fails;
    else if (low_inside && high_inside)
      verdict_.outcome = ClaimOutcome::holds;
    else
      verdict_.outcome = ClaimOutcome::undecided;
  }

  std::vector<FigureReading> readings() const {
    std::vector<FigureReading> by_node(claim_.nodes.size());
    for (const Asked& asked : asked_) {
      for (const std::size_t index : asked.nodes) by_node[index] = asked.reading;
    }
    return by_node;
  }

  void describe(const Sides& whole, double centre, double low, double high) {
    ClaimText::Comparison comparison;
    comparison.left = whole.left;
    comparison.right = whole.right;
    comparison.ratio = ratio_;
    comparison.centre = centre;
    comparison.low = low;
    comparison.high = high;
    const ClaimText::Shown shown = text_.shown(comparison, readings());
    verdict_.scale = shown.scale;
    verdict_.value = shown.value;
    verdict_.low = shown.low;
    verdict_.high = shown.high;
    verdict_.claimed = shown.claimed;
    verdict_.numbers = shown.sentence;
    if (verdict_.outcome == ClaimOutcome::undecided)
      verdict_.numbers += ", which the interval does not decide";
  }

  const CampaignResult& run_;
  ClaimFigures& figures_;
  const ClaimRelation claim_;
  const ClaimText text_;
  ClaimVerdict verdict_;
  std::vector<std::pair<std::size_t, CellName>> wanted_;  ///< calls by node
  std::vector<Asked> asked_;
  std::vector<double> values_;  ///< by node; of the last evaluation
  int blocks_ = 0;
  bool ratio_ = true;
};

}  // namespace

const char* to_string(ClaimOutcome outcome) {
  switch (outcome) {
    case ClaimOutcome::holds:
      return "holds";
    case ClaimOutcome::fails:
      return "fails";
    case ClaimOutcome::undecided:
      return "undecided";
    case ClaimOutcome::invalid:
      return "invalid measurement";
    case ClaimOutcome::lacking:
      return "not on this machine";
  }
  return "";
}

std::vector<ClaimVerdict> judge_claims(const Plan& plan, const CampaignResult& run) {
  ClaimFigures figures(run);
  std::vector<ClaimVerdict> verdicts;
  for (const Claim& claim : plan.claims)
    verdicts.push_back(Judge(plan, run, figures, claim).judge());
  return verdicts;
}

std::string sentence(const ClaimVerdict& verdict) {
  return fmt::format("{}: {}: {}", to_string(verdict.outcome), verdict.claim.say, verdict.numbers);
}

}  // namespace precipice
