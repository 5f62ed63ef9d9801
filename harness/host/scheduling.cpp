#include "harness/host/scheduling.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "harness/json.hpp"

namespace precipice {
namespace {

// Not in every libc's headers.
constexpr int kDeadlinePolicy = 6;

std::optional<double> number_in(const MachineFiles& files, const std::string& path) {
  return number_of(trimmed(files.line(path).value_or("")));
}

}  // namespace

bool Scheduling::real_time() const { return policy == SCHED_FIFO || policy == SCHED_RR; }

std::optional<std::int64_t> Scheduling::real_time_pause_ns() const {
  // A runtime of -1 bounds nothing.
  if (!real_time() || !rt_runtime_us || !rt_period_us || *rt_runtime_us < 0) return std::nullopt;
  if (*rt_runtime_us >= *rt_period_us) return std::nullopt;
  return static_cast<std::int64_t>((*rt_period_us - *rt_runtime_us) * 1e3);
}

std::string Scheduling::policy_name() const {
  switch (policy) {
    case SCHED_OTHER:
      return "SCHED_OTHER";
    case SCHED_FIFO:
      return "SCHED_FIFO";
    case SCHED_RR:
      return "SCHED_RR";
    case SCHED_BATCH:
      return "SCHED_BATCH";
    case SCHED_IDLE:
      return "SCHED_IDLE";
    case kDeadlinePolicy:
      return "SCHED_DEADLINE";
    default:
      return fmt::format("policy {}", policy);
  }
}

std::optional<Scheduling> scheduling_of(const MachineFiles& files) {
  const std::string text = files.read("/proc/self/stat").value_or("");
  // The name in parentheses may hold anything; fields are counted from what follows it, the third.
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  const std::vector<std::string> fields = words_of(std::string_view(text).substr(end + 1));
  const auto field = [&](std::size_t number) {
    return number - 3 < fields.size() ? number_of(fields[number - 3]) : std::nullopt;
  };
  const auto nice = field(19), priority = field(40), policy = field(41);
  if (!nice || !priority || !policy) return std::nullopt;
  Scheduling result;
  result.policy = static_cast<int>(*policy);
  result.priority = static_cast<int>(*priority);
  result.nice = static_cast<int>(*nice);
  result.rt_runtime_us = number_in(files, "/proc/sys/kernel/sched_rt_runtime_us");
  result.rt_period_us = number_in(files, "/proc/sys/kernel/sched_rt_period_us");
  return result;
}

Json to_json(const std::optional<Scheduling>& scheduling) {
  const auto or_null = [](std::optional<double> value) {
    return value ? Json(static_cast<std::int64_t>(*value)) : Json(nullptr);
  };
  if (!scheduling) return {{"policy", nullptr}, {"priority", nullptr}, {"nice", nullptr}};
  return {{"policy", scheduling->policy_name()},
          {"priority", scheduling->priority},
          {"nice", scheduling->nice},
          {"rt_runtime_us", or_null(scheduling->rt_runtime_us)},
          {"rt_period_us", or_null(scheduling->rt_period_us)}};
}

}  // namespace precipice
