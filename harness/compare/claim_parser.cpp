#include "harness/compare/claim_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/compare/claim_lexer.hpp"
#include "harness/compare/claim_vocabulary.hpp"
#include "harness/trial/spec.hpp"
#include "models/did_you_mean.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

class Parser : ClaimLexer {
 public:
  explicit Parser(std::string_view text) : ClaimLexer(text) { relation_.text = text; }

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

  UsageError unexpected_after_claim() const {
    if (text_[at_] == '<' || text_[at_] == '>' || text_[at_] == '=')
      return error(at_, "a claim is one relation; write a second claim for the other");
    return error(at_, fmt::format("{} where the claim should end; put an operator between two "
                                  "values: + - * /",
                                  found(at_)));
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
    const ClaimQuantity read = quantity();
    ClaimNode result;
    result.begin = read.begin;
    result.end = at_;
    result.value = read.value;
    result.dimension = read.dimension;
    result.plain_number = read.plain;
    return add(std::move(result));
  }

  std::size_t call() {
    ClaimNode result;
    result.kind = Kind::call;
    result.begin = at_;
    const std::string_view name = word();
    const FigureName* const known = figure_named(name);
    if (known == nullptr) throw no_such_figure(name);
    result.figure = known->figure;
    result.dimension = known->dimension;
    at_ += name.size();
    if (peek() != '(') {
      throw error(at_, fmt::format("{} is of a cell: write {}", name, form(result.figure)));
    }
    const std::vector<ClaimSpan> arguments = arguments_of(result.figure);
    result.series = spec(arguments[0], "series");
    result.workload = spec(arguments[1], "workload");
    const std::size_t named = needs_load(result.figure) ? 3 : 2;
    if (needs_load(result.figure)) result.load = load(arguments[2]);
    if (arguments.size() > named) result.of_class = class_name(arguments[named], result.figure);
    result.end = at_;
    return add(std::move(result));
  }

  UsageError no_such_figure(std::string_view name) const {
    std::vector<std::string> names;
    for (const FigureName& each : figure_names()) names.emplace_back(each.name);
    return error(at_, fmt::format("there is no figure {}{} (figures: {})", found(at_),
                                  did_you_mean(name.substr(0, 40), names), fmt::join(names, ", ")));
  }
  static std::string form(Figure figure) {
    return fmt::format("{}(SERIES, WORKLOAD{}{})", to_string(figure),
                       needs_load(figure) ? ", LOAD" : "", has_classes(figure) ? "[, CLASS]" : "");
  }

  /// At '('; leaves the position behind the closing one.
  std::vector<ClaimSpan> arguments_of(Figure figure) {
    const std::size_t open = at_;
    std::vector<ClaimSpan> parts;
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
    std::vector<ClaimSpan> arguments;
    for (const ClaimSpan& part : parts) {
      if (!arguments.empty() && is_setting(part))
        arguments.back().end = part.end;
      else
        arguments.push_back(part);
    }
    const std::size_t least = needs_load(figure) ? 3 : 2,
                      most = least + (has_classes(figure) ? 1 : 0);
    if (arguments.size() < least || arguments.size() > most) {
      throw error(
          open, fmt::format("{} has {}{} arguments, and here are {}: write {}{}", to_string(figure),
                            least, most > least ? fmt::format(" or {}", most) : "",
                            arguments.size(), form(figure),
                            least == 3 ? ", where LOAD is a share of the saturation "
                                         "(0.8) or a rate (800/s)"
                                       : ""));
    }
    return arguments;
  }
  Spec spec(const ClaimSpan& span, std::string_view what) const {
    std::string text(part(span));
    const std::size_t first = text.find_first_of(":.=");
    if (first != std::string::npos && text[first] == '.') text[first] = ':';
    try {
      Spec spec = what == "series" ? parse_series(text, what) : parse_spec(text, what);
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

  std::string class_name(const ClaimSpan& span, Figure figure) const {
    const std::string_view name = part(span);
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return is_letter(c) || is_digit(c) || c == '-';
    });
    if (!plain) {
      throw error(span.begin, fmt::format("'{}' is no name of a class (letters, digits, '_' and "
                                          "'-'): write {}",
                                          name, form(figure)));
    }
    return std::string(name);
  }

  ClaimLoad load(const ClaimSpan& span) {
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

  int depth_ = 0;
  ClaimRelation relation_;
};

}  // namespace

ClaimRelation parse_claim(std::string_view text) { return Parser(text).parse(); }

}  // namespace precipice
