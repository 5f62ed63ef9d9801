#include "harness/compare/claim_lexer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "harness/compare/claim_vocabulary.hpp"

namespace precipice {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

UsageError ClaimLexer::error(std::size_t at, std::string_view message) const {
  return UsageError(fmt::format("at {}: {}", at + 1, message));
}

std::string ClaimLexer::found(std::size_t at) const {
  if (at >= text_.size()) return "the end";
  std::size_t end = at + 1;
  if (is_letter(text_[at]) || is_digit(text_[at])) {
    while (end < text_.size() && end < at + 24 && (is_letter(text_[end]) || is_digit(text_[end])))
      ++end;
  }
  return fmt::format("'{}'", text_.substr(at, end - at));
}
void ClaimLexer::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

char ClaimLexer::peek() {
  skip_space();
  return at_ < text_.size() ? text_[at_] : '\0';
}

std::string_view ClaimLexer::word() {
  skip_space();
  std::size_t end = at_;
  if (end < text_.size() && is_letter(text_[end])) {
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
  }
  return text_.substr(at_, end - at_);
}

ClaimQuantity ClaimLexer::quantity() {
  ClaimQuantity result;
  result.begin = at_;
  const char* first = text_.data() + at_;
  const auto [rest, status] = std::from_chars(first, text_.data() + text_.size(), result.value);
  if (status != std::errc() || !std::isfinite(result.value))
    throw error(at_, fmt::format("{} is not a number that can be computed with", found(at_)));
  at_ += static_cast<std::size_t>(rest - first);
  result.plain = true;
  if (at_ < text_.size() && text_[at_] == '%') {
    ++at_;
    result.value /= 100;
    result.plain = false;
  } else {
    unit(result);
  }
  return result;
}

void ClaimLexer::unit(ClaimQuantity& number) {
  std::size_t end = at_;
  while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
  const std::string_view name = text_.substr(at_, end - at_);
  if (!name.empty()) {
    const ClaimUnit* const unit = unit_named(name);
    if (unit == nullptr) {
      throw error(at_, fmt::format("{} is no unit (times: ns, us, ms, s, m, h; rates: /s; "
                                   "shares: %; thousands k, millions M)",
                                   found(at_)));
    }
    number.value *= unit->factor;
    if (!std::isfinite(number.value)) throw error(number.begin, "the number is too large");
    number.dimension = unit->dimension;
    if (unit->dimension != 0) number.plain = false;
    at_ = end;
  }
  const bool per_second =
      number.dimension == 0 && text_.substr(at_, 2) == "/s" &&
      (at_ + 2 == text_.size() || !(is_letter(text_[at_ + 2]) || is_digit(text_[at_ + 2])));
  if (per_second) {
    at_ += 2;
    number.dimension = -1;
    number.plain = false;
  }
}

ClaimSpan ClaimLexer::trimmed(ClaimSpan span) const {
  while (span.begin < span.end && is_space(text_[span.begin])) ++span.begin;
  while (span.end > span.begin && is_space(text_[span.end - 1])) --span.end;
  return span;
}

std::string_view ClaimLexer::part(const ClaimSpan& span) const {
  return text_.substr(span.begin, span.end - span.begin);
}

bool ClaimLexer::is_setting(const ClaimSpan& span) const {
  std::size_t i = span.begin;
  while (i < span.end && (is_letter(text_[i]) || is_digit(text_[i]))) ++i;
  if (i == span.begin) return false;
  while (i < span.end && is_space(text_[i])) ++i;
  return i < span.end && text_[i] == '=';
}

}  // namespace precipice
