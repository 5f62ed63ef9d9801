// Which bytes may stand where in a message of HTTP/1.1 (RFC 9110, section 5.6; RFC 9112).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace precipice::http {

enum CharacterClass : std::uint8_t {
  kToken = 1,    ///< tchar
  kTarget = 2,   ///< visible ASCII, as in a request target
  kField = 4,    ///< of a field's value: visible, space, tab and bytes from 0x80 on
  kMethod = 8,   ///< capital letters and the hyphen, as in every registered method
  kQuoted = 16,  ///< qdtext: of a quoted string, unescaped
};

namespace detail {
constexpr std::array<std::uint8_t, 256> character_classes() {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool alphanumeric = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool visible = c > 0x20 && c < 0x7f;
    unsigned set = 0;
    if (alphanumeric || (c < 0x80 && kTokenMarks.find(static_cast<char>(c)) != kTokenMarks.npos))
      set |= kToken;
    if (visible) set |= kTarget;
    if (visible || c == ' ' || c == '\t' || c >= 0x80) {
      set |= kField;
      if (c != '"' && c != '\\') set |= kQuoted;
    }
    if (upper || c == '-') set |= kMethod;
    classes[c] = static_cast<std::uint8_t>(set);
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharacterClasses = character_classes();
}  // namespace detail

constexpr bool is(char c, CharacterClass which) {
  return (detail::kCharacterClasses[static_cast<unsigned char>(c)] & which) != 0;
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// ASCII letters without regard to case; `lower` is in lower case.
constexpr bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

/// Without the spaces and tabs around it.
constexpr std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace precipice::http
