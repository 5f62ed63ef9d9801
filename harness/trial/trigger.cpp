#include "harness/trial/trigger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "models/options.hpp"

namespace precipice {

Trigger Trigger::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return UsageError(
        fmt::format("trigger '{}' {}; write 'stall 500ms at 2s', 'step 1.4x at 2s' or "
                    "'step 1.4x for 1s at 2s'",
                    text, why));
  };
  std::istringstream words{std::string(text)};
  std::vector<std::string> all;
  for (std::string word; words >> word;) all.push_back(word);
  Trigger trigger;
  if (all.size() == 4 && all[0] == "stall" && all[2] == "at") {
    trigger.length = parse_duration(all[1], "trigger");
    if (trigger.length <= Nanos(0)) throw wrong("lasts no time");
  } else if (all.size() >= 4 && all[0] == "step" && all[1].ends_with('x') &&
             all[all.size() - 2] == "at" &&
             (all.size() == 4 || (all.size() == 6 && all[2] == "for"))) {
    trigger.kind = Kind::step;
    trigger.factor = parse_number(std::string_view(all[1]).substr(0, all[1].size() - 1), "trigger");
    if (!(trigger.factor > 0 && trigger.factor <= 100))
      throw wrong("multiplies by something else than 0 to 100");
    if (all.size() == 6) {
      trigger.length = parse_duration(all[3], "trigger");
      if (trigger.length <= Nanos(0)) throw wrong("lasts no time");
    }
  } else {
    throw wrong("is neither a stall nor a step");
  }
  trigger.at = parse_duration(all.back(), "trigger");
  return trigger;
}

std::string Trigger::to_string() const {
  const std::string when = exact_duration(at);
  if (kind == Kind::stall) return fmt::format("stall {} at {}", exact_duration(length), when);
  if (length > Nanos(0))
    return fmt::format("step {}x for {} at {}", factor, exact_duration(length), when);
  return fmt::format("step {}x at {}", factor, when);
}

std::vector<std::int64_t> Trigger::schedule(const Arrivals& arrivals, double rate_per_s,
                                            std::int64_t warmup_ns, std::int64_t span_ns,
                                            std::uint64_t seed) const {
  if (kind == Kind::stall) return arrivals.schedule(rate_per_s, span_ns, seed);
  // The same sequence on a clock that runs faster by the factor while the step lasts.
  const std::int64_t from = std::min(span_ns, warmup_ns + at.count());
  const std::int64_t to = length > Nanos(0) ? std::min(span_ns, from + length.count()) : span_ns;
  const double stretched = factor * static_cast<double>(to - from);
  const auto extra = static_cast<std::int64_t>(stretched) - (to - from);
  std::vector<std::int64_t> times = arrivals.schedule(rate_per_s, span_ns + extra, seed);
  for (std::int64_t& time : times) {
    if (time <= from) continue;
    const auto beyond = static_cast<double>(time - from);
    time = beyond <= stretched ? from + static_cast<std::int64_t>(beyond / factor) : time - extra;
  }
  std::erase_if(times, [&](std::int64_t time) { return time >= span_ns; });
  return times;
}

}  // namespace precipice
