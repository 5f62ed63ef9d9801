#include "harness/compare/claim_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "harness/json.hpp"
#include "harness/trial/spec.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

struct FigureName {
  std::string_view name;
  Figure figure;
  int dimension;
};
constexpr std::array kFigures{
    FigureName{"saturation", Figure::saturation, -1},
    FigureName{"cliff", Figure::cliff, -1},
    FigureName{"cliff5", Figure::cliff5, -1},
    FigureName{"cliff20", Figure::cliff20, -1},
    FigureName{"knee", Figure::knee, -1},
    FigureName{"plateau", Figure::plateau, -1},
    FigureName{"ideal_saturation", Figure::ideal_saturation, -1},
    FigureName{"ideal_cliff", Figure::ideal_cliff, -1},
    FigureName{"retention", Figure::retention, 0},
    FigureName{"recovery", Figure::recovery, 0},
    FigureName{"steepness", Figure::steepness, 0},
    FigureName{"saturation_of_ideal", Figure::saturation_of_ideal, 0},
    FigureName{"cliff_of_ideal", Figure::cliff_of_ideal, 0},
    FigureName{"service_time", Figure::service_time, 1},
    FigureName{"slo", Figure::slo, 1},
    FigureName{"cpu_per_request", Figure::cpu_per_request, 1},
    FigureName{"mean", Figure::mean, 1},
    FigureName{"p50", Figure::p50, 1},
    FigureName{"p90", Figure::p90, 1},
    FigureName{"p99", Figure::p99, 1},
    FigureName{"p999", Figure::p999, 1},
    // The same figures under the names that the theory gives them.
    FigureName{"lambda_10", Figure::cliff, -1},
    FigureName{"lambda_5", Figure::cliff5, -1},
    FigureName{"lambda_20", Figure::cliff20, -1},
};

struct Unit {
  std::string_view name;
  double factor;
  int dimension;
};
constexpr std::array kUnits{
    Unit{"k", 1e3, 0},   Unit{"M", 1e6, 0}, Unit{"ns", 1e-9, 1}, Unit{"us", 1e-6, 1},
    Unit{"ms", 1e-3, 1}, Unit{"s", 1, 1},   Unit{"m", 60, 1},    Unit{"h", 3600, 1},
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string_view dimension_name(int dimension) {
  switch (dimension) {
    case 1:
      return "a time";
    case -1:
      return "a rate";
    case 0:
      return "a plain number";
    default:
      return "neither a time, a rate nor a number";
  }
}

/// A part of the claim: [begin, end).
struct Span {
  std::size_t begin = 0, end = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { relation_.text = text; }

  ClaimRelation parse() {
    if (text_.size() > kLongestClaim)
      throw UsageError(
          fmt::format("at {}: a claim is at most {} bytes long", kLongestClaim + 1, kLongestClaim));
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (!is_space(text_[i]) && (text_[i] < 0x20 || text_[i] > 0x7e))
        throw error(i, "only printable ASCII can stand in a claim");
    }
    relation_.left = sum();
    relation();
    skip_space();
    if (at_ < text_.size()) throw unexpected_after_claim();
    const bool measures =
        std::any_of(relation_.nodes.begin(), relation_.nodes.end(),
                    [](const ClaimNode& node) { return node.kind == ClaimNode::Kind::call; });
    if (!measures) {
      throw error(0,
                  "compares numbers only; a claim names at least one figure, as in "
                  "saturation(io_uring, sleep)");
    }
    return std::move(relation_);
  }

 private:
  using Kind = ClaimNode::Kind;

  UsageError error(std::size_t at, std::string_view message) const {
    return UsageError(fmt::format("at {}: {}", at + 1, message));
  }
  /// What stands at a position, for a message.
  std::string found(std::size_t at) const {
    if (at >= text_.size()) return "the end";
    std::size_t end = at + 1;
    if (is_letter(text_[at]) || is_digit(text_[at])) {
      while (end < text_.size() && end < at + 24 && (is_letter(text_[end]) || is_digit(text_[end])))
        ++end;
    }
    return fmt::format("'{}'", text_.substr(at, end - at));
  }
  UsageError unexpected_after_claim() const {
    if (text_[at_] == '<' || text_[at_] == '>' || text_[at_] == '=')
      return error(at_, "a claim is one relation; write a second claim for the other");
    return error(at_, fmt::format("{} where the claim should end; put an operator between two "
                                  "values: + - * /",
                                  found(at_)));
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  /// The next character after spaces, '\0' at the end.
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  /// A word of letters, digits and '_', "" when there is none; does not move.
  std::string_view word() {
    skip_space();
    std::size_t end = at_;
    if (end < text_.size() && is_letter(text_[end])) {
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    }
    return text_.substr(at_, end - at_);
  }

  const ClaimNode& node(std::size_t index) const { return relation_.nodes[index]; }
  std::size_t add(ClaimNode node) {
    relation_.nodes.push_back(std::move(node));
    return relation_.nodes.size() - 1;
  }

  void relation() {
    const char c = peek();
    const std::size_t at = at_;
    if (c == '<' || c == '>') {
      const bool equal = at_ + 1 < text_.size() && text_[at_ + 1] == '=';
      at_ += equal ? 2 : 1;
      using R = ClaimRelation::Kind;
      relation_.kind = c == '<' ? (equal ? R::at_most : R::below) : equal ? R::at_least : R::above;
      relation_.right = sum();
      check_same(at, relation_.left, relation_.right, "compares");
      return;
    }
    if (word() == "within") {
      within();
      return;
    }
    throw error(at, fmt::format("{} where a relation belongs: <, <=, >, >=, or 'within 10% of'",
                                found(at)));
  }

  void within() {
    const std::size_t at = at_;
    if (node(relation_.left).kind == Kind::number)
      throw error(at, "the number belongs behind 'of': write FIGURE within 10% of NUMBER");
    at_ += word().size();
    const char c = peek();
    if (!is_digit(c) && c != '.') {
      throw error(at_, fmt::format("{} where the tolerance belongs, as in within 10% of 500/s or "
                                   "within 2ms of 5ms",
                                   found(at_)));
    }
    const std::size_t number_at = at_;
    const std::size_t tolerance = number();
    relation_.kind = ClaimRelation::Kind::within;
    relation_.tolerance = node(tolerance).value;
    relation_.relative_tolerance = text_[at_ - 1] == '%';
    if (!(relation_.tolerance > 0))
      throw error(number_at,
                  "no measurement shows two values to be equal; the tolerance is above 0");
    if (word() != "of")
      throw error(at_, fmt::format("{} where 'of' belongs, as in within 10% of 500/s", found(at_)));
    at_ += 2;
    relation_.right = sum();
    check_same(at, relation_.left, relation_.right, "compares");
    if (!relation_.relative_tolerance)
      check_same(number_at, tolerance, relation_.right, "allows a tolerance in");
  }

  /// Two operands of a sum or a relation; a plain number beside a rate is per second.
  void check_same(std::size_t at, std::size_t left, std::size_t right,
                  std::string_view does) const {
    const ClaimNode &a = node(left), &b = node(right);
    if (a.dimension == b.dimension) return;
    if (a.plain_number && b.dimension == -1) return;
    if (b.plain_number && a.dimension == -1) return;
    throw error(at, fmt::format("{} {} and {}: '{}' and '{}' (times are written 5ms, rates 800/s)",
                                does, dimension_name(a.dimension), dimension_name(b.dimension),
                                excerpt(a), excerpt(b)));
  }
  std::string excerpt(const ClaimNode& node) const {
    constexpr std::size_t kMost = 60;
    const std::string_view text = text_.substr(node.begin, node.end - node.begin);
    return text.size() <= kMost ? std::string(text)
                                : fmt::format("{}...", text.substr(0, kMost - 3));
  }

  std::size_t combine(Kind kind, std::size_t at, std::size_t left, std::size_t right) {
    const ClaimNode &a = node(left), &b = node(right);
    ClaimNode result;
    result.kind = kind;
    result.begin = a.begin;
    result.end = b.end;
    result.left = left;
    result.right = right;
    const bool numbers = a.kind == Kind::number && b.kind == Kind::number;
    result.plain_number = a.plain_number && b.plain_number;
    switch (kind) {
      case Kind::add:
      case Kind::subtract:
        check_same(at, left, right, kind == Kind::add ? "adds" : "subtracts");
        result.dimension = a.dimension != 0 ? a.dimension : b.dimension;
        result.value = kind == Kind::add ? a.value + b.value : a.value - b.value;
        break;
      case Kind::multiply:
        result.dimension = a.dimension + b.dimension;
        result.value = a.value * b.value;
        break;
      default:
        if (b.kind == Kind::number && b.value == 0) throw error(at, "divides by zero");
        result.dimension = a.dimension - b.dimension;
        result.value = a.value / b.value;
    }
    if (numbers) {
      if (!std::isfinite(result.value)) throw error(at, "the result is too large for a number");
      result.kind = Kind::number;
    } else {
      result.value = 0;
    }
    return add(std::move(result));
  }

  std::size_t sum() {
    std::size_t left = product();
    for (char c = peek(); c == '+' || c == '-'; c = peek()) {
      const std::size_t at = at_++;
      const std::size_t right = product();
      left = combine(c == '+' ? Kind::add : Kind::subtract, at, left, right);
    }
    return left;
  }

  std::size_t product() {
    std::size_t left = factor();
    for (char c = peek(); c == '*' || c == '/'; c = peek()) {
      const std::size_t at = at_++;
      const std::size_t right = factor();
      left = combine(c == '*' ? Kind::multiply : Kind::divide, at, left, right);
    }
    return left;
  }

  std::size_t factor() {
    const char c = peek();
    const std::size_t at = at_;
    if (c == '-' || c == '(') {
      if (++depth_ > kDeepestClaim)
        throw error(at, fmt::format("is nested more than {} deep", kDeepestClaim));
      ++at_;
      const std::size_t inner = c == '-' ? factor() : parenthesised(at);
      --depth_;
      return c == '-' ? negated(at, inner) : inner;
    }
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return call();
    throw error(at, fmt::format("{} where a number or a figure belongs, as in 1.5, 5ms, 800/s or "
                                "cliff(event_loop, sleep)",
                                found(at)));
  }

  std::size_t parenthesised(std::size_t open) {
    const std::size_t inner = sum();
    if (peek() != ')')
      throw error(at_,
                  fmt::format("{} where the parenthesis of {} should close", found(at_), open + 1));
    ++at_;
    relation_.nodes[inner].begin = open;
    relation_.nodes[inner].end = at_;
    return inner;
  }

  std::size_t negated(std::size_t at, std::size_t operand) {
    ClaimNode result;
    const ClaimNode& inner = node(operand);
    result.kind = inner.kind == Kind::number ? Kind::number : Kind::negate;
    result.begin = at;
    result.end = inner.end;
    result.dimension = inner.dimension;
    result.plain_number = inner.plain_number;
    result.left = result.right = operand;
    result.value = -inner.value;
    return add(std::move(result));
  }

  std::size_t number() {
    ClaimNode result;
    result.begin = at_;
    const char* first = text_.data() + at_;
    const auto [rest, status] = std::from_chars(first, text_.data() + text_.size(), result.value);
    if (status != std::errc() || !std::isfinite(result.value))
      throw error(at_, fmt::format("{} is not a number that can be computed with", found(at_)));
    at_ += static_cast<std::size_t>(rest - first);
    result.plain_number = true;
    if (at_ < text_.size() && text_[at_] == '%') {
      ++at_;
      result.value /= 100;
      result.plain_number = false;
    } else {
      unit(result);
    }
    result.end = at_;
    return add(std::move(result));
  }

  void unit(ClaimNode& number) {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    if (!name.empty()) {
      const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(),
                                            [&](const Unit& each) { return each.name == name; });
      if (unit == kUnits.end()) {
        throw error(at_, fmt::format("{} is no unit (times: ns, us, ms, s, m, h; rates: /s; "
                                     "shares: %; thousands k, millions M)",
                                     found(at_)));
      }
      number.value *= unit->factor;
      if (!std::isfinite(number.value)) throw error(number.begin, "the number is too large");
      number.dimension = unit->dimension;
      if (unit->dimension != 0) number.plain_number = false;
      at_ = end;
    }
    const bool per_second =
        number.dimension == 0 && text_.substr(at_, 2) == "/s" &&
        (at_ + 2 == text_.size() || !(is_letter(text_[at_ + 2]) || is_digit(text_[at_ + 2])));
    if (per_second) {
      at_ += 2;
      number.dimension = -1;
      number.plain_number = false;
    }
  }

  std::size_t call() {
    ClaimNode result;
    result.kind = Kind::call;
    result.begin = at_;
    const std::string_view name = word();
    const auto* const known =
        std::find_if(kFigures.begin(), kFigures.end(),
                     [&](const FigureName& each) { return each.name == name; });
    if (known == kFigures.end()) throw no_such_figure(name);
    result.figure = known->figure;
    result.dimension = known->dimension;
    at_ += name.size();
    if (peek() != '(') {
      throw error(at_, fmt::format("{} is of a cell: write {}", name, form(result.figure)));
    }
    const std::vector<Span> arguments = arguments_of(result.figure);
    result.series = spec(arguments[0], "series");
    result.workload = spec(arguments[1], "workload");
    if (needs_load(result.figure)) result.load = load(arguments[2]);
    result.end = at_;
    return add(std::move(result));
  }

  UsageError no_such_figure(std::string_view name) const {
    std::vector<std::string> names;
    for (const FigureName& each : kFigures) names.emplace_back(each.name);
    const std::string near = nearest_name(name.substr(0, 40), names);
    return error(at_, fmt::format("there is no figure {}{} (figures: {})", found(at_),
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                                  fmt::join(names, ", ")));
  }
  static std::string form(Figure figure) {
    return fmt::format("{}(SERIES, WORKLOAD{})", to_string(figure),
                       needs_load(figure) ? ", LOAD" : "");
  }

  /// At '('; leaves the position behind the closing one.
  std::vector<Span> arguments_of(Figure figure) {
    const std::size_t open = at_;
    std::vector<Span> parts;
    std::size_t begin = open + 1, i = open + 1;
    int depth = 0;
    for (; i < text_.size() && depth >= 0; ++i) {
      if (text_[i] == '(') ++depth;
      if (text_[i] == ')') --depth;
      if ((text_[i] == ',' && depth == 0) || depth < 0) {
        parts.push_back(trimmed({begin, i}));
        begin = i + 1;
      }
    }
    if (depth >= 0) {
      throw error(text_.size(), fmt::format("the parenthesis of {} is never closed", open + 1));
    }
    at_ = i;
    std::vector<Span> arguments;
    for (const Span& part : parts) {
      if (!arguments.empty() && is_setting(part))
        arguments.back().end = part.end;
      else
        arguments.push_back(part);
    }
    const std::size_t wanted = needs_load(figure) ? 3 : 2;
    if (arguments.size() != wanted) {
      throw error(open, fmt::format("{} has {} arguments, and here are {}: write {}{}",
                                    to_string(figure), wanted, arguments.size(), form(figure),
                                    wanted == 3 ? ", where LOAD is a share of the saturation "
                                                  "(0.8) or a rate (800/s)"
                                                : ""));
    }
    return arguments;
  }
  Span trimmed(Span span) const {
    while (span.begin < span.end && is_space(text_[span.begin])) ++span.begin;
    while (span.end > span.begin && is_space(text_[span.end - 1])) --span.end;
    return span;
  }
  std::string_view part(const Span& span) const {
    return text_.substr(span.begin, span.end - span.begin);
  }
  /// `key=value` without a name before it.
  bool is_setting(const Span& span) const {
    std::size_t i = span.begin;
    while (i < span.end && (is_letter(text_[i]) || is_digit(text_[i]))) ++i;
    if (i == span.begin) return false;
    while (i < span.end && is_space(text_[i])) ++i;
    return i < span.end && text_[i] == '=';
  }

  Spec spec(const Span& span, std::string_view what) const {
    std::string text(part(span));
    const std::size_t first = text.find_first_of(":.=");
    if (first != std::string::npos && text[first] == '.') text[first] = ':';
    try {
      Spec spec = parse_spec(text, what);
      const bool plain = std::all_of(spec.name.begin(), spec.name.end(),
                                     [](char c) { return is_letter(c) || is_digit(c); });
      if (!plain) {
        throw UsageError(
            fmt::format("{} '{}' is no name; write name or name:key=value", what, spec.name));
      }
      return spec;
    } catch (const UsageError& complaint) {
      throw error(span.begin, complaint.what());
    }
  }

  ClaimLoad load(const Span& span) {
    const std::size_t after = at_;
    at_ = span.begin;
    const char c = span.begin < span.end ? text_[span.begin] : '\0';
    const auto wrong = [&] {
      return error(span.begin, fmt::format("'{}' is no load: a share of the cell's saturation (0.8 "
                                           "or 80%), or a rate (800/s)",
                                           part(span)));
    };
    if (!is_digit(c) && c != '.') throw wrong();
    const std::size_t index = number();
    const ClaimNode value = node(index);
    relation_.nodes.pop_back();  // it belongs to the call
    if (at_ != span.end || value.dimension > 0 || !(value.value > 0)) throw wrong();
    ClaimLoad load{value.value, value.dimension == 0};
    if (load.share && load.value > 100) {
      throw error(span.begin, fmt::format("{} times the saturation is more than any trial offers; "
                                          "a rate is written {}/s",
                                          part(span), part(span)));
    }
    at_ = after;
    return load;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  ClaimRelation relation_;
};

}  // namespace

const char* to_string(Figure figure) {
  // Names are literals, so their data ends in a zero.
  for (const FigureName& each : kFigures) {
    if (each.figure == figure) return each.name.data();
  }
  return "figure";
}

ClaimRelation parse_claim(std::string_view text) { return Parser(text).parse(); }

}  // namespace precipice
