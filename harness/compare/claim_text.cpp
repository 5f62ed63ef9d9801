#include "harness/compare/claim_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "harness/format.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

using Kind = ClaimNode::Kind;
using Relation = ClaimRelation::Kind;

std::string significant(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || size < 1e-3) return fmt::format("{:.2e}", value);
  const int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return fmt::format("{:.{}f}", value, decimals);
}

/// "1.10 [1.05, 1.15]", or what is left of it where an end is not known.
std::string interval(double value, double low, double high, int dimension) {
  if (low == high) return quantity(value, dimension);
  if (std::isfinite(low) && std::isfinite(high)) {
    return fmt::format("{} [{}, {}]", quantity(value, dimension), quantity(low, dimension),
                       quantity(high, dimension));
  }
  if (std::isfinite(low) && low > 0) return fmt::format("at least {}", quantity(low, dimension));
  if (std::isfinite(high)) return fmt::format("at most {}", quantity(high, dimension));
  return "not bounded";
}

/// Without those that enclose the whole text.
std::string without_parentheses(const std::string& text) {
  if (!text.starts_with('(')) return text;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0 && i + 1 < text.size()) return text;
  }
  return without_parentheses(text.substr(1, text.size() - 2));
}

/// As the relation reads with its sides exchanged.
Relation flipped(Relation kind) {
  switch (kind) {
    case Relation::below:
      return Relation::above;
    case Relation::at_most:
      return Relation::at_least;
    case Relation::above:
      return Relation::below;
    case Relation::at_least:
      return Relation::at_most;
    case Relation::within:
      break;
  }
  return Relation::within;
}

std::string_view sign(Relation kind) {
  switch (kind) {
    case Relation::below:
      return "<";
    case Relation::at_most:
      return "<=";
    case Relation::above:
      return ">";
    case Relation::at_least:
      return ">=";
    case Relation::within:
      break;
  }
  return "within";
}

}  // namespace

std::string quantity(double value, int dimension) {
  const std::string minus = value < 0 ? "-" : "";
  const double size = std::abs(value);
  switch (dimension) {
    case -1:
      return fmt::format("{}{}/s", minus, short_rate(size));
    case 0:
      return significant(value);
    case 1:
      return minus + short_time(size * 1e9);
    default:
      return fmt::format("{} s^{}", significant(value), dimension);
  }
}

std::string ClaimText::source(std::size_t node) const {
  const ClaimNode& each = claim_.nodes[node];
  return claim_.text.substr(each.begin, each.end - each.begin);
}

std::string ClaimText::name(std::size_t node) const {
  const ClaimNode& whole = claim_.nodes[node];
  std::string text;
  std::size_t at = whole.begin;
  // Operands come before what uses them, and calls hold no calls, so calls are in reading order.
  for (const ClaimNode& each : claim_.nodes) {
    if (each.kind != Kind::call || each.begin < at || each.end > whole.end) continue;
    text += claim_.text.substr(at, each.begin - at);
    text += to_string(each.figure);
    if (!each.of_class.empty()) text += " of " + each.of_class;
    if (each.load) {
      text += each.load->share ? fmt::format(" at {:.4g}", each.load->value)
                               : " at " + quantity(each.load->value, -1);
    }
    at = each.end;
  }
  return without_parentheses(text + claim_.text.substr(at, whole.end - at));
}

ClaimText::Side ClaimText::side(std::size_t root) const {
  Side side;
  side.node = root;
  for (;;) {
    const ClaimNode& at = claim_.nodes[side.node];
    if (at.kind == Kind::number) return side;
    const auto plain = [&](std::size_t index) {
      const ClaimNode& each = claim_.nodes[index];
      return each.kind == Kind::number && each.dimension == 0 && each.value > 0;
    };
    if (at.kind == Kind::multiply && plain(at.left)) {
      side.factor *= claim_.nodes[at.left].value;
      side.node = at.right;
    } else if (at.kind == Kind::multiply && plain(at.right)) {
      side.factor *= claim_.nodes[at.right].value;
      side.node = at.left;
    } else if (at.kind == Kind::divide && plain(at.right)) {
      side.factor /= claim_.nodes[at.right].value;
      side.node = at.left;
    } else {
      side.measured = true;
      return side;
    }
  }
}

std::string ClaimText::side_text(const Side& side, double value, const std::string& name,
                                 const std::vector<FigureReading>& readings) const {
  const ClaimNode& node = claim_.nodes[side.node];
  std::string_view bound;
  if (node.kind == Kind::call) {
    const FigureReading& reading = readings[side.node];
    if (reading.high == kInfinity) bound = "at least ";
    if (reading.low == 0 && reading.value > 0) bound = "at most ";
  }
  return fmt::format("{}{}{}{}", name, name.empty() ? "" : " ", bound,
                     quantity(value / side.factor, node.dimension));
}

std::string ClaimText::sides(double left, double right,
                             const std::vector<FigureReading>& readings) const {
  const Side a = side(claim_.left), b = side(claim_.right);
  if (!b.measured) return side_text(a, left, name(a.node), readings);
  if (!a.measured) return side_text(b, right, name(b.node), readings);
  const std::string first = name(a.node), second = name(b.node);
  return fmt::format("{} against {}", side_text(a, left, first, readings),
                     side_text(b, right, first == second ? "" : second, readings));
}

ClaimText::Shown ClaimText::shown(const Comparison& comparison,
                                  const std::vector<FigureReading>& readings) const {
  const Side a = side(claim_.left), b = side(claim_.right);
  Shown shown;
  Relation kind = claim_.kind;
  // The dimension and the size of what the claim holds the value against.
  int dimension = 0;
  double bound = 0;
  bool names_value = false;
  if (a.measured != b.measured) {
    // One side is a number: the other is shown as it is.
    const Side& measured = a.measured ? a : b;
    const double number = (a.measured ? comparison.right : comparison.left) / measured.factor;
    shown.scale = "value";
    dimension = claim_.nodes[measured.node].dimension;
    bound = number;
    names_value = true;
    const double centre = a.measured ? comparison.centre : -comparison.centre;
    const double low = a.measured ? comparison.low : -comparison.high;
    const double high = a.measured ? comparison.high : -comparison.low;
    const auto value = [&](double statistic) {
      return comparison.ratio ? number * std::exp(statistic) : number + statistic / measured.factor;
    };
    shown.value = value(centre);
    shown.low = value(low);
    shown.high = value(high);
    if (!a.measured) kind = flipped(kind);
  } else if (comparison.ratio) {
    shown.scale = "ratio";
    bound = b.factor / a.factor;
    shown.value = bound * std::exp(comparison.centre);
    shown.low = bound * std::exp(comparison.low);
    shown.high = bound * std::exp(comparison.high);
  } else {
    shown.scale = "difference";
    dimension = claim_.nodes[claim_.left].dimension;
    shown.value = comparison.centre;
    shown.low = comparison.low;
    shown.high = comparison.high;
  }
  if (kind == Relation::within && claim_.relative_tolerance) {
    shown.claimed =
        fmt::format("within {:.4g}% of {}", 100 * claim_.tolerance, quantity(bound, dimension));
  } else if (kind == Relation::within) {
    // An absolute tolerance has a meaning on the difference only.
    dimension = claim_.nodes[claim_.left].dimension;
    const double scale = names_value ? (a.measured ? a : b).factor : 1;
    shown.claimed = fmt::format("within {} of {}", quantity(claim_.tolerance / scale, dimension),
                                quantity(bound, dimension));
  } else {
    shown.claimed = fmt::format("{} {}", sign(kind), quantity(bound, dimension));
  }
  const std::string range = interval(shown.value, shown.low, shown.high, dimension);
  if (names_value) {
    const Side& measured = a.measured ? a : b;
    shown.sentence = fmt::format("{} {}, claimed {}", name(measured.node), range, shown.claimed);
  } else {
    shown.sentence =
        fmt::format("{}, {} {}, claimed {}", sides(comparison.left, comparison.right, readings),
                    shown.scale, range, shown.claimed);
  }
  return shown;
}

}  // namespace precipice
