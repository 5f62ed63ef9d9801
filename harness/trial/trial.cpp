#include "harness/trial/trial.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "models/random.hpp"

namespace precipice {

std::vector<std::int64_t> TrialRequest::schedule() const {
  const std::int64_t end = (warmup + window).count();
  return trigger ? trigger->schedule(arrivals, rate_per_s, warmup.count(), end, seed)
                 : arrivals.schedule(rate_per_s, end, seed);
}

std::uint8_t TrialRequest::class_of(std::uint64_t id) const {
  if (classes.empty()) return 0;
  // Apart from what the id and the seed decide otherwise.
  constexpr std::uint64_t kSalt = 0x636c617373;
  Random random(mix64(seed ^ kSalt) + id);
  double drawn = random.uniform();
  std::uint8_t number = 0;
  for (; number + 1U < classes.size() && drawn >= classes[number].share; ++number)
    drawn -= classes[number].share;
  return number;
}

std::map<std::string, std::string> TrialRequest::oracle_options() const {
  std::map<std::string, std::string> options = model.given;
  if (trigger && trigger->kind == Trigger::Kind::stall) {
    options["stall_at"] = exact_duration(trigger->at);
    options["stall_for"] = exact_duration(trigger->length);
  }
  return options;
}

double Trial::loss() const {
  if (counts.scheduled == 0) return 0;
  return static_cast<double>(counts.shed + counts.failed + counts.unfinished) /
         static_cast<double>(counts.scheduled);
}

std::string cut_off_sentence(const Trial& trial) {
  const Counts& counts = trial.counts;
  if (!trial.response_bound_from_ns || counts.scheduled == 0) return "";
  const Percentiles& p = trial.response;
  std::string bounds = "the mean";
  for (const auto& [name, value] :
       {std::pair("p50", p.p50), std::pair("p90", p.p90), std::pair("p95", p.p95),
        std::pair("p99", p.p99), std::pair("p99.9", p.p999), std::pair("max", p.max)}) {
    if (trial.is_lower_bound(value)) bounds += fmt::format(", {}", name);
  }
  return fmt::format(
      "{:.3g}% of the requests ({} of {}) were cut off at the drain deadline: of the responses "
      "{} are lower bounds",
      100 * static_cast<double>(counts.unfinished) / static_cast<double>(counts.scheduled),
      counts.unfinished, counts.scheduled, bounds);
}

}  // namespace precipice
