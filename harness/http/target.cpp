#include "harness/http/target.hpp"

#include <algorithm>

#include "harness/http/character_class.hpp"

namespace precipice::http {
namespace {

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Of a registered name or an IPv4 address: unreserved, sub-delims, and % before two hex digits.
bool is_name(std::string_view text) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!(is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 kMarks.find(c) != kMarks.npos)) {
      return false;
    }
  }
  return true;
}

// What stands between brackets: an IPv6 address, or one of a later version.
bool is_address(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_hex(c) || c == ':' || c == '.' || c == 'v';
  });
}

bool is_port(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

// Without "scheme://", or empty where that is not what the target begins with.
std::string_view behind_scheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      return target.substr(scheme.size());
  }
  return {};
}

}  // namespace

bool target_fits(std::string_view target, Method method) {
  if (target.empty()) return false;
  if (method == Method::connect) {
    const std::size_t colon = target.rfind(':');
    return colon != target.npos && colon > 0 && colon + 1 < target.size() && is_host(target);
  }
  if (target.front() == '/') return true;
  // PRI: the preface of HTTP/2, whose version is what it is refused for.
  if (target == "*") return method == Method::options || method == Method::other;
  const std::string_view rest = behind_scheme(target);
  return !rest.empty() && rest.front() != '/' && rest.front() != '?' && rest.front() != '#';
}

bool is_host(std::string_view value) {
  if (!value.empty() && value.front() == '[') {
    const std::size_t close = value.find(']');
    if (close == value.npos || !is_address(value.substr(1, close - 1))) return false;
    const std::string_view rest = value.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const std::size_t colon = value.find(':');
  if (colon == value.npos) return is_name(value);
  return is_name(value.substr(0, colon)) && is_port(value.substr(colon + 1));
}

TargetParts split_target(std::string_view target) {
  target = target.substr(0, target.find('#'));
  if (const std::string_view rest = behind_scheme(target); !rest.empty()) {
    const std::size_t path = rest.find_first_of("/?");
    target = path == rest.npos ? std::string_view("/") : rest.substr(path);
  }
  const std::size_t mark = target.find('?');
  TargetParts parts{target.substr(0, mark), {}};
  if (mark != target.npos) parts.query = target.substr(mark + 1);
  if (parts.path.empty()) parts.path = "/";
  return parts;
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t end) {
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
    if (number >= end) return std::nullopt;
  }
  return number;
}

}  // namespace precipice::http
