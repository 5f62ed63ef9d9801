#include "models/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "models/did_you_mean.hpp"

namespace precipice {
namespace {

struct Unit {
  std::string_view suffix;
  double scale;
};

/// number x unit, or nullopt-like NaN when the text has another form.
template <std::size_t N>
double parse_with_unit(std::string_view text, const std::array<Unit, N>& units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value))
    return std::numeric_limits<double>::quiet_NaN();
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (suffix == unit.suffix) return value * unit.scale;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// Digits as they stand, to the last of 64 bits; or a number with a unit that comes to a whole one.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t digits = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, digits);
  if (error == std::errc{} && end == last) return digits;
  static constexpr std::array<Unit, 3> units{{{"", 1.0}, {"k", 1e3}, {"M", 1e6}}};
  constexpr double kExactUpTo = 9007199254740992.0;
  const double value = parse_with_unit(text, units);
  const double whole = std::round(value);
  // 1.001k is a hair off 1001.
  if (!(whole >= 0 && whole <= kExactUpTo) || std::abs(value - whole) > 1e-12 * whole)
    return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

}  // namespace

Options::Options(std::string_view component, const std::vector<OptionKey>& keys,
                 const std::map<std::string, std::string>& given)
    : component_(component) {
  for (const OptionKey& key : keys) values_.emplace(key.name, key.fallback);
  for (const auto& [name, value] : given) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      std::vector<std::string> names;
      for (const OptionKey& key : keys) names.emplace_back(key.name);
      throw UsageError(fmt::format(
          "{} has no key '{}'{}{}", component_, name, did_you_mean(name, names),
          names.empty() ? "; it takes none" : fmt::format(" (keys: {})", fmt::join(names, ", "))));
    }
    found->second = value;
    given_.emplace(name, value);
  }
}

bool Options::given(std::string_view key) const { return given_.find(key) != given_.end(); }

const std::string& Options::text(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    throw std::logic_error(fmt::format("{} reads its undeclared key '{}'", component_, key));
  }
  return found->second;
}

std::uint64_t Options::count(std::string_view key, std::uint64_t low, std::uint64_t high) const {
  const std::string& value = text(key);
  const std::optional<std::uint64_t> result = whole_number(value);
  if (!result || *result < low || *result > high) {
    throw UsageError(fmt::format("{}: {}={} is not a whole number from {} to {}", component_, key,
                                 value, low, high));
  }
  return *result;
}

double Options::number(std::string_view key, double low, double high) const {
  const double result = parse_number(text(key), fmt::format("{}: {}", component_, key));
  if (result < low || result > high) {
    throw UsageError(
        fmt::format("{}: {}={} is outside {} to {}", component_, key, text(key), low, high));
  }
  return result;
}

Nanos Options::duration(std::string_view key) const {
  return parse_duration(text(key), fmt::format("{}: {}", component_, key));
}

std::uint64_t Options::bytes(std::string_view key) const {
  return parse_bytes(text(key), fmt::format("{}: {}", component_, key));
}

bool Options::flag(std::string_view key) const {
  const std::string value = choice(key, {"true", "false", "on", "off", "1", "0", "yes", "no"});
  return value == "true" || value == "on" || value == "1" || value == "yes";
}

std::string Options::choice(std::string_view key,
                            const std::vector<std::string_view>& allowed) const {
  const std::string& value = text(key);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    throw UsageError(fmt::format("{}: {}={} is not one of {}", component_, key, value,
                                 fmt::join(allowed, ", ")));
  }
  return value;
}

Nanos parse_duration(std::string_view text, std::string_view what) {
  static constexpr std::array<Unit, 6> units{
      {{"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
  const double nanos = text == "0" ? 0.0 : parse_with_unit(text, units);
  if (!(nanos >= 0) || nanos > 9e18) {
    throw UsageError(
        fmt::format("{}: '{}' is not a duration; write for example 50us, 2ms, 1s", what, text));
  }
  return Nanos(std::llround(nanos));
}

std::string format_duration(Nanos duration) {
  const auto nanos = static_cast<double>(duration.count());
  const double size = std::abs(nanos);
  if (size >= 1e9) return fmt::format("{:.4g}s", nanos / 1e9);
  if (size >= 1e6) return fmt::format("{:.4g}ms", nanos / 1e6);
  if (size >= 1e3) return fmt::format("{:.4g}us", nanos / 1e3);
  return fmt::format("{}ns", duration.count());
}

std::string exact_duration(Nanos duration) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 3> units{
      {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}}};
  for (const auto& [scale, suffix] : units) {
    if (duration.count() != 0 && duration.count() % scale == 0)
      return fmt::format("{}{}", duration.count() / scale, suffix);
  }
  return fmt::format("{}ns", duration.count());
}

std::uint64_t parse_bytes(std::string_view text, std::string_view what) {
  static constexpr std::array<Unit, 5> units{
      {{"", 1.0}, {"B", 1.0}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}}};
  const double bytes = parse_with_unit(text, units);
  if (!(bytes >= 0) || bytes > 9e18 || bytes != std::floor(bytes)) {
    throw UsageError(
        fmt::format("{}: '{}' is not a size; write for example 4KiB, 64MiB", what, text));
  }
  return static_cast<std::uint64_t>(bytes);
}

std::uint64_t parse_count(std::string_view text, std::string_view what, std::uint64_t low,
                          std::uint64_t high) {
  const std::optional<std::uint64_t> result = whole_number(text);
  if (!result || *result < low || *result > high) {
    throw UsageError(
        fmt::format("{} '{}' is not a whole number from {} to {}", what, text, low, high));
  }
  return *result;
}

double parse_number(std::string_view text, std::string_view what) {
  static constexpr std::array<Unit, 1> units{{{"", 1.0}}};
  const double value = parse_with_unit(text, units);
  if (std::isnan(value)) throw UsageError(fmt::format("{}: '{}' is not a number", what, text));
  return value;
}

std::vector<std::string_view> split_outside_parentheses(std::string_view text, char separator,
                                                        std::string_view what) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (depth < 0) break;
    if (text[i] == separator && depth == 0) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (depth != 0) throw UsageError(fmt::format("{} '{}' has unbalanced parentheses", what, text));
  parts.push_back(text.substr(begin));
  return parts;
}

}  // namespace precipice
