#include "harness/trial/target.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "models/options.hpp"

namespace precipice {
namespace {

constexpr std::array<std::pair<SlowKind, std::string_view>, 4> kSlowKinds{{
    {SlowKind::header, "header"},
    {SlowKind::body, "body"},
    {SlowKind::read, "read"},
    {SlowKind::idle, "idle"},
}};

}  // namespace

std::string_view to_string(SlowKind kind) {
  for (const auto& [each, name] : kSlowKinds) {
    if (each == kind) return name;
  }
  return "";
}

SlowKind parse_slow_kind(std::string_view text) {
  for (const auto& [kind, name] : kSlowKinds) {
    if (name == text) return kind;
  }
  throw UsageError(
      fmt::format("slow clients are slow in header, body, read or idle, not in '{}'", text));
}

void check_slow_clients(const SlowClients& slow) {
  constexpr Nanos kShortest = std::chrono::milliseconds(10), kLongest = std::chrono::hours(1);
  if (slow.count > SlowClients::kMost) {
    throw UsageError(
        fmt::format("{} slow clients are too many: at most {}", slow.count, SlowClients::kMost));
  }
  if (slow.interval < kShortest || slow.interval > kLongest) {
    throw UsageError(fmt::format("the interval of slow clients is {} to {}, not {}",
                                 format_duration(kShortest), format_duration(kLongest),
                                 format_duration(slow.interval)));
  }
  const double steps_per_s = slow.count / std::chrono::duration<double>(slow.interval).count();
  if (steps_per_s > SlowClients::kMostStepsPerS) {
    throw UsageError(fmt::format(
        "{} slow clients every {} are {:.0f} bytes a second, and at most {:.0f} are sent: a longer "
        "interval, or fewer clients",
        slow.count, format_duration(slow.interval), steps_per_s, SlowClients::kMostStepsPerS));
  }
}

}  // namespace precipice
