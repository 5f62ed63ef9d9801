#include "harness/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace precipice {
namespace {

std::string three_digits(double value) {
  if (value == 0) return "0";
  const int decimals =
      std::clamp(2 - static_cast<int>(std::floor(std::log10(std::abs(value)))), 0, 3);
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

std::string short_rate(double per_s) {
  if (!std::isfinite(per_s)) return "-";
  if (std::abs(per_s) >= 999.5e3) return three_digits(per_s / 1e6) + "M";
  if (std::abs(per_s) >= 9995) return three_digits(per_s / 1e3) + "k";
  return fmt::format("{:.{}f}", per_s, std::abs(per_s) < 99.95 ? 1 : 0);
}

std::string short_time(double ns) {
  if (!std::isfinite(ns)) return "-";
  if (ns >= 999.5e6) return three_digits(ns / 1e9) + "s";
  if (ns >= 999.5e3) return three_digits(ns / 1e6) + "ms";
  if (ns >= 999.5) return three_digits(ns / 1e3) + "us";
  return fmt::format("{:.0f}ns", ns);
}

std::string percent(double share) {
  if (!std::isfinite(share)) return "-";
  return fmt::format("{:.{}f}%", 100 * share, std::abs(share) < 0.0995 ? 1 : 0);
}

std::string readable_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace precipice
