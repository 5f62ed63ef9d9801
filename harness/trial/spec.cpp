#include "harness/trial/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <exception>
#include <utility>
#include <vector>

#include "harness/shown_text.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

constexpr std::array<std::pair<std::string_view, double>, 6> kPercentiles{
    {{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}, {"p999", 99.9}}};

}  // namespace

std::string Spec::to_string() const {
  std::string text = name;
  char separator = ':';
  for (const auto& [key, value] : given) {
    text += fmt::format("{}{}={}", separator, key, value);
    separator = ',';
  }
  if (!policy.empty()) text += '|' + policy;
  return text;
}

Spec parse_series(std::string_view text, std::string_view what) {
  const auto parts = split_outside_parentheses(text, '|', what);
  Spec spec = parse_spec(parts.front(), what);
  if (parts.size() > 1) {
    spec.policy = trimmed(text.substr(parts.front().size() + 1));
    if (spec.policy.empty())
      throw UsageError(fmt::format("{} '{}' has no policy behind its '|'", what, text));
  }
  return spec;
}

Spec parse_spec(std::string_view text, std::string_view what) {
  const auto wrong = [&](std::string_view why) {
    return UsageError(
        fmt::format("{} '{}' {}; write name or name:key=value,key=value", what, text, why));
  };
  Spec spec;
  const std::size_t colon = text.find(':');
  spec.name = trimmed(text.substr(0, colon));
  if (spec.name.empty()) throw wrong("has no name");
  if (colon == std::string_view::npos) return spec;
  for (const std::string_view part : split_outside_parentheses(text.substr(colon + 1), ',', what)) {
    const std::size_t equal = part.find('=');
    if (equal == std::string_view::npos) {
      throw wrong(fmt::format("has '{}' where key=value belongs", trimmed(part)));
    }
    const std::string key(trimmed(part.substr(0, equal)));
    const std::string value(trimmed(part.substr(equal + 1)));
    if (key.empty()) throw wrong(fmt::format("has a value '{}' without a key", value));
    if (!std::all_of(key.begin(), key.end(), is_word))
      throw wrong(fmt::format("has the key '{}', and keys are letters, digits and '_'", key));
    if (value.empty()) throw wrong(fmt::format("gives no value to '{}'", key));
    if (!spec.given.emplace(key, value).second) throw wrong(fmt::format("gives '{}' twice", key));
  }
  return spec;
}

void check_model(const Spec& spec) {
  const ModelInfo& info = model_named(spec.name);
  info.make(Options(spec.name, info.options, spec.given));
}

void check_workload(const Spec& spec) {
  const WorkloadInfo& info = workload_named(spec.name);
  info.make(Options(spec.name, info.options, spec.given));
}

Spec parse_model(std::string_view text) {
  Spec spec = parse_spec(text, "model");
  check_model(spec);
  return spec;
}

Spec parse_workload(std::string_view text) {
  Spec spec = parse_spec(text, "workload");
  check_workload(spec);
  return spec;
}

std::string label(const Spec& spec) {
  std::string text = spec.name;
  for (const auto& [key, value] : spec.given) text += fmt::format(" {}={}", key, value);
  if (!spec.policy.empty()) text += '|' + spec.policy;
  return shown_in_line(text);
}

Slo parse_slo(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return UsageError(fmt::format(
        "SLO '{}': {}; write a percentile (p50, p90, p95, p99, p99.9) and a bound, as in 'p99<5ms' "
        "or 'p99 < 10xS'",
        text, why));
  };
  const std::size_t less = text.find('<');
  if (less == std::string_view::npos) throw wrong("has no '<'");
  const std::string_view percentile = trimmed(text.substr(0, less));
  std::string_view bound = text.substr(less + 1);
  if (!bound.empty() && bound.front() == '=') bound.remove_prefix(1);
  bound = trimmed(bound);

  Slo slo;
  slo.text = trimmed(text);
  const auto known =
      std::find_if(kPercentiles.begin(), kPercentiles.end(),
                   [&](const auto& candidate) { return candidate.first == percentile; });
  if (known == kPercentiles.end()) throw wrong(fmt::format("'{}' is no percentile", percentile));
  slo.percentile = known->second;
  if (bound.empty()) throw wrong("has no bound");

  if (bound.back() == 'S') {
    std::string_view times = trimmed(bound.substr(0, bound.size() - 1));
    if (times.empty() || (times.back() != 'x' && times.back() != '*'))
      throw wrong(fmt::format("'{}' is no multiple of S", bound));
    times = trimmed(times.substr(0, times.size() - 1));
    try {
      slo.times_service = parse_number(times, "SLO");
    } catch (const UsageError&) {
      throw wrong(fmt::format("'{}' is no multiple of S", bound));
    }
    if (!(slo.times_service > 0) || slo.times_service > 1e6)
      throw wrong("the multiple of S must be above 0 and at most 1000000");
    return slo;
  }
  try {
    slo.bound = parse_duration(bound, "SLO");
  } catch (const UsageError&) {
    throw wrong(fmt::format("'{}' is no duration", bound));
  }
  // The largest response that a histogram places.
  if (slo.bound <= Nanos::zero() || slo.bound > std::chrono::hours(1))
    throw wrong("the bound must be above 0 and at most 1h");
  return slo;
}

std::string to_string(const Slo& slo) { return slo.text.empty() ? "default" : slo.text; }

double parse_rate(std::string_view text, std::string_view what, double highest) {
  std::string_view digits = trimmed(text);
  double scale = 1;
  if (!digits.empty() && (digits.back() == 'k' || digits.back() == 'M')) {
    scale = digits.back() == 'k' ? 1e3 : 1e6;
    digits.remove_suffix(1);
  }
  double rate = 0;
  try {
    rate = parse_number(digits, what) * scale;
  } catch (const UsageError&) {
    rate = std::nan("");
  }
  if (!std::isfinite(rate) || rate <= 0) {
    throw UsageError(
        fmt::format("{} '{}' is not a rate: give requests per second, above 0", what, text));
  }
  if (rate > highest) {
    throw UsageError(fmt::format(
        "{} '{}' is beyond what the generator can offer: at most {:.0f} requests per second", what,
        text, highest));
  }
  return rate;
}

}  // namespace precipice
